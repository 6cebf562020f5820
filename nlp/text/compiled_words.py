"""Loops over the characters of many texts at once, compiled: pieces, words and their places.

Import it in functions: numba takes a while. Texts are code points of folded text, all texts in one
array with a line break between them. `nlp.text.segment` says in plain Python what is computed here,
and a test holds both to the same words.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from folate.core.compiled import compiled

# An integer of some width, or a truth value.
Scalar: TypeAlias = Any
Codes = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int64]
UInts = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

# Bits of a character; `nlp.text.characters` has their expressions.
HAN = np.uint16(1)
SPACE = np.uint16(2)
DIGIT = np.uint16(4)
LETTER = np.uint16(8)
ALPHANUMERIC = np.uint16(16)
DICTIONARY = np.uint16(32)
EMOJI = np.uint16(64)
# May begin markup or a label of a site.
MARKUP = np.uint16(128)
# Normalised as it is folded, whatever stands beside it.
SIMPLE = np.uint16(256)
# Kept of a text where copies are sought.
CONTENT = np.uint16(512)

KANA = np.uint16(1024)
# A letter of any script.
ALPHABETIC = np.uint16(2048)
LATIN = np.uint16(4096)
# May begin what is not counted where the language is decided.
NOT_COUNTED = np.uint16(8192)

# Decisions on a language.
UNDECIDED = 0
CHINESE = 1
OTHER = 2

# Kinds of pieces.
PLAIN = 0
# Letters with signs between them, which spaCy cuts.
SPACED = 1
# A span that is no piece: an address or an account.
SKIPPED = 2

_MAX_LETTERS = 64
_MAX_GROUPS = 4
_YEAR = ord("年")
_NODE_BITS = 21
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def find_starts(codes: Codes, flags: Flags, is_word_start: npt.NDArray[np.bool_]) -> Ints:
    """Return where a URL, @name, hashtag, emoticon, emoji or whole word may begin.

    `is_word_start` says of each code point whether a whole word begins with it.
    """
    found = np.empty(len(codes), np.int64)
    count = 0
    for i in range(len(codes)):
        code = codes[i]
        if code > 127 and not is_word_start[code] and not flags[code] & EMOJI:
            continue
        if _may_start(codes, flags, is_word_start, i):
            found[count] = i
            count += 1
    return found[:count].copy()


@compiled
def _code_at(codes: Codes, i: Scalar) -> Scalar:
    return np.int64(codes[i]) if 0 <= i < len(codes) else np.int64(10)


@compiled
def _is_host_character(code: Scalar) -> Scalar:
    """Return whether a character is a small Latin letter, a digit or a hyphen."""
    return 97 <= code <= 122 or 48 <= code <= 57 or code == 45


@compiled
def _is_mail_character(code: Scalar) -> Scalar:
    """Return whether a character may be in the name before the @ of a mail address."""
    return _is_host_character(code) or code == 46 or code == 95 or code == 37 or code == 43


@compiled
def _may_start(
    codes: Codes, flags: Flags, is_word_start: npt.NDArray[np.bool_], i: Scalar
) -> Scalar:
    code = np.int64(codes[i])
    before = _code_at(codes, i - 1)
    if is_word_start[code]:
        is_inside = _is_host_character(before) and before != 45
        if not (is_inside and _is_host_character(code) and code != 45):
            return True
    if code > 127:
        return flags[code] & EMOJI != 0
    if code == 64 or code == 35 or code == 91:  # @ # [
        return True
    following = _code_at(codes, i + 1)
    if following == 0xFE0F or following == 0x20E3:
        return True
    if code == 58 or code == 59 or code == 61:  # : ; =
        return following < 128 and not (flags[following] & SPACE)
    if code == 94 or code == 62 or code == 60:  # ^ > <
        return following < 128 and not (flags[following] & SPACE)
    if not _is_mail_character(code):
        return False
    after_next = _code_at(codes, i + 2)
    if following == 95 and (code == 45 or (code == 116 and after_next == 116)):  # -_- t_t
        return True
    if code == 104 and following == 116 and after_next == 116:  # http
        return True
    if code == 119 and following == 119 and after_next == 119:  # www
        return True
    return _may_start_address(codes, i, code, before)


@compiled
def _may_start_address(codes: Codes, i: Scalar, code: Scalar, before: Scalar) -> Scalar:
    """Return whether an address without a scheme, or a mail address, may begin."""
    if not _is_mail_character(before):
        end = i
        while end < len(codes) and _is_mail_character(np.int64(codes[end])):
            end += 1
        if _code_at(codes, end) == 64:
            return True
    if _is_host_character(before) or before == 46 or before == 64:
        return False
    if not _is_host_character(code):
        return False
    end = i
    while end < len(codes) and _is_host_character(np.int64(codes[end])):
        end += 1
    return _code_at(codes, end) == 46 and _is_host_character(_code_at(codes, end + 1))


@compiled
def cut_pieces(
    codes: Codes, flags: Flags, uncut: Ints, trie: Any, joins: Any
) -> tuple[Ints, Ints, npt.NDArray[np.uint8]]:
    """Return the starts, ends and kinds of all pieces but white space.

    `uncut` (n, 3) are starts, ends and kinds of the spans that are one piece each, in order.
    """
    starts = np.empty(len(codes) + 1, np.int64)
    ends = np.empty(len(codes) + 1, np.int64)
    kinds = np.zeros(len(codes) + 1, np.uint8)
    longest = len(codes) + 1
    scores = np.zeros(longest, np.float64)
    nexts = np.zeros(longest, np.int64)
    count = 0
    position = 0
    for index in range(len(uncut) + 1):
        is_last = index == len(uncut)
        stop = len(codes) if is_last else uncut[index, 0]
        count = _cut_between(
            codes, flags, position, stop, trie, joins, starts, ends, kinds, count, scores, nexts
        )
        if is_last:
            break
        position = uncut[index, 1]
        if uncut[index, 2] != SKIPPED:
            starts[count] = stop
            ends[count] = position
            kinds[count] = uncut[index, 2]
            count += 1
    return starts[:count].copy(), ends[:count].copy(), kinds[:count].copy()


@compiled
def _cut_between(
    codes: Codes,
    flags: Flags,
    start: Scalar,
    stop: Scalar,
    trie: Any,
    joins: Any,
    starts: Ints,
    ends: Ints,
    kinds: npt.NDArray[np.uint8],
    count: Scalar,
    scores: Floats,
    nexts: Ints,
) -> Scalar:
    """Cut [start, stop) as `nlp.text.segment._cut_plain` does; return the number of pieces."""
    i = start
    while i < stop:
        flag = flags[codes[i]]
        if flag & SPACE:
            i += 1
            continue
        end = _other_end(codes, flags, i, stop)
        if end == i:
            while end < stop and _other_end(codes, flags, end, stop) == end:
                end += 1
            count = _cut_chinese(
                codes, flags, i, end, trie, joins, starts, ends, count, scores, nexts
            )
        else:
            starts[count] = i
            ends[count] = end
            is_spaced = flag & LETTER and not flag & DIGIT
            if is_spaced and not _is_alphanumeric(codes, flags, i, end):
                kinds[count] = SPACED
            count += 1
        i = end
    return count


@compiled
def _is_alphanumeric(codes: Codes, flags: Flags, start: Scalar, end: Scalar) -> Scalar:
    for i in range(start, end):  # noqa: SIM110 - numba has no `all`
        if not flags[codes[i]] & ALPHANUMERIC:
            return False
    return True


@compiled
def _other_end(codes: Codes, flags: Flags, i: Scalar, stop: Scalar) -> Scalar:
    """Return where space, a number, a word of letters or a repeated sign from `i` ends, or `i`."""
    flag = flags[codes[i]]
    if flag & SPACE:
        return i + 1
    if flag & DIGIT:
        return _number_end(codes, flags, i, stop)
    if flag & LETTER:
        return _letters_end(codes, flags, i, stop)
    code = codes[i]
    if code == 46 or code == 0x2014 or code == 47 or code == 126 or code == 45:  # . — / ~ -
        end = i + 1
        while end < stop and codes[end] == code:
            end += 1
        return end if end > i + 1 else i
    return i


@compiled
def _digits_end(codes: Codes, flags: Flags, i: Scalar, stop: Scalar) -> Scalar:
    while i < stop and flags[codes[i]] & DIGIT:
        i += 1
    return i


@compiled
def _number_end(codes: Codes, flags: Flags, i: Scalar, stop: Scalar) -> Scalar:
    """Return where a number with its unit ends."""
    end = _digits_end(codes, flags, i, stop)
    if end == i + 4 and end < stop and codes[end] == _YEAR:
        return end + 1
    while end + 1 < stop and _is_inside_number(codes[end]) and flags[codes[end + 1]] & DIGIT:
        end = _digits_end(codes, flags, end + 1, stop)
    return end + _unit_length(codes, flags, end, stop)


@compiled
def _is_inside_number(code: Scalar) -> Scalar:
    """Return whether a character may be between two digits of a number: one of .,:/~-"""
    return code == 46 or code == 44 or code == 58 or code == 47 or code == 126 or code == 45


@compiled
def _unit_length(codes: Codes, flags: Flags, i: Scalar, stop: Scalar) -> Scalar:
    if i >= stop:
        return 0
    code = codes[i]
    if code == 37 or code == 0x2030 or code == 0x2103:  # % ‰ ℃
        return 1
    following = codes[i + 1] if i + 1 < stop else np.uint32(0)
    if code == 0xB0 and following == 99:  # °c
        return 2
    if code == 0x4E07 and following == 0x4EBF:  # 万亿
        return 2
    if code == 0x4E07 or code == 0x4EBF or code == 0x6708 or code == 0x65E5:  # 万亿月日
        return 1
    if code == 0x65F6 or code == 0x70B9 or code == 0x53F7:  # 时点号
        return 1
    if code == 0x591A or code == 0x4F59:  # 多余
        return 1
    length = 0
    while i + length < stop and 97 <= codes[i + length] <= 122:
        length += 1
    if length > 3:
        return 0
    is_followed_by_digit = i + length < stop and 48 <= codes[i + length] <= 57
    return 0 if is_followed_by_digit else length


@compiled
def _letters_end(codes: Codes, flags: Flags, i: Scalar, stop: Scalar) -> Scalar:
    """Return where a word of letters, perhaps joined by signs, ends."""
    end = i
    for group in range(_MAX_GROUPS + 1):
        first = end
        if group:
            if end + 1 >= stop or not _joins_letters(codes[end]):
                return end
            first = end + 1
        last = first
        while last < stop and last < first + _MAX_LETTERS and flags[codes[last]] & LETTER:
            last += 1
        if last == first:
            return end
        end = last
    return end


@compiled
def _joins_letters(code: Scalar) -> Scalar:
    """Return whether a character may be between the letters of one word: one of .'&/_+-"""
    if code == 46 or code == 39 or code == 38 or code == 47:
        return True
    return code == 95 or code == 43 or code == 45


@compiled
def _cut_chinese(
    codes: Codes,
    flags: Flags,
    start: Scalar,
    stop: Scalar,
    trie: Any,
    joins: Any,
    starts: Ints,
    ends: Ints,
    count: Scalar,
    scores: Floats,
    nexts: Ints,
) -> Scalar:
    """Cut [start, stop) as `nlp.text.chinese.ChineseSegmenter.cut` does."""
    _find_best_path(codes, flags, start, stop, trie, scores, nexts)
    left_start = -1
    i = start
    while i < stop:
        end = nexts[i]
        if left_start >= 0 and _is_one_word(codes, flags, left_start, i, end, joins):
            ends[count - 1] = end
        else:
            starts[count] = i
            ends[count] = end
            count += 1
        left_start = i
        i = end
    return count


@compiled
def _find_best_path(
    codes: Codes, flags: Flags, start: Scalar, stop: Scalar, trie: Any, scores: Floats, nexts: Ints
) -> None:
    """Write for each offset where the most probable word from there ends; of equals the longest.

    The dictionary sees one stretch of characters that it knows at a time.
    """
    weights, masks, single_weight, roots, table = trie
    for i in range(stop - 1, start - 1, -1):
        code = codes[i]
        nexts[i] = i + 1
        if not flags[code] & DICTIONARY:
            scores[i] = 0.0
            continue
        best = -np.inf
        node = np.int64(roots[code]) if code < len(roots) else np.int64(0)
        end = i + 1
        while node:
            weight = weights[node]
            if weight < 0.0:
                score = weight + (scores[end] if end < stop else 0.0)
                if score >= best:
                    best = score
                    nexts[i] = end
            if end >= stop or not masks[node] >> np.uint64(codes[end] & 63) & np.uint64(1):
                break
            node = _find_child(table, node, codes[end])
            end += 1
        if best == -np.inf:
            best = single_weight + (scores[i + 1] if i + 1 < stop else 0.0)
        scores[i] = best


@compiled
def _mix(value: Scalar) -> Scalar:
    """Return a number of 64 bits whose every bit depends on every bit of `value`."""
    value = (value ^ (value >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    return value ^ (value >> np.uint64(29))


@compiled
def _find_child(table: UInts, node: Scalar, code: Scalar) -> Scalar:
    """Return the child of a node for a character, or 0."""
    key = np.uint64(node) << np.uint64(_NODE_BITS) | np.uint64(code)
    mask = np.uint64(len(table) - 1)
    slot = _mix(key) & mask
    while table[slot] != _EMPTY:
        if table[slot] >> np.uint64(_NODE_BITS) == key:
            return np.int64(table[slot] & np.uint64((1 << _NODE_BITS) - 1))
        slot = (slot + np.uint64(1)) & mask
    return 0


@compiled
def build_trie(codes: Codes, offsets: Ints, logs: Floats, root_count: Scalar) -> Any:
    """Return the trie of words: weights and masks of nodes, roots by character, children.

    Word i is codes[offsets[i]:offsets[i + 1]]; the first ones are found fastest. A weight is the
    logarithm of a probability, 0 for a node that is no word. A mask has a bit for the last six bits
    of each character that leads to a child. A slot of the table of children holds parent, character
    and child in 21 bits each.
    """
    size = 1 << 10
    while size < len(codes):
        size *= 2
    table = np.full(size, _EMPTY, np.uint64)
    roots = np.zeros(root_count, np.int32)
    count = 1
    for word in range(len(offsets) - 1):
        code = codes[offsets[word]]
        if roots[code] == 0:
            roots[code] = count
            count += 1
    # a node's weight and mask are beside each other
    nodes = np.zeros((len(codes) + 2, 2), np.uint64)
    weights = nodes.view(np.float64)
    for word in range(len(offsets) - 1):
        node = np.int64(roots[codes[offsets[word]]])
        for i in range(offsets[word] + 1, offsets[word + 1]):
            code = codes[i]
            child = _find_child(table, node, code)
            if child == 0:
                child = count
                count += 1
                _add_child(table, node, code, child)
                nodes[node, 1] |= np.uint64(1) << np.uint64(code & 63)
            node = child
        weights[node, 0] = logs[word]
    nodes = nodes[:count].copy()
    return nodes.view(np.float64)[:, 0], nodes[:, 1], roots, table


@compiled
def _add_child(table: UInts, node: Scalar, code: Scalar, child: Scalar) -> None:
    key = np.uint64(node) << np.uint64(_NODE_BITS) | np.uint64(code)
    mask = np.uint64(len(table) - 1)
    slot = _mix(key) & mask
    while table[slot] != _EMPTY:
        slot = (slot + np.uint64(1)) & mask
    table[slot] = key << np.uint64(_NODE_BITS) | np.uint64(child)


# Kinds of features of two neighbouring pieces (`nlp.text.chinese.join_features`).
(
    JOIN_LENGTHS,
    JOIN_MEETING,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_LEFT_END,
    JOIN_RIGHT_START,
    JOIN_LEFT_START,
    JOIN_RIGHT_END,
) = range(1, 9)
_PAIR = np.uint64(1 << 63)


@compiled
def join_key(kind: Scalar, lengths: Scalar, first: Scalar, second: Scalar) -> Scalar:
    """Return the number of a feature with up to two characters."""
    numbers = np.uint64(kind) << np.uint64(8) | np.uint64(lengths)
    characters = np.uint64(first) << np.uint64(21) | np.uint64(second)
    return numbers << np.uint64(42) | characters


@compiled
def pair_key(codes: Codes, start: Scalar, middle: Scalar, end: Scalar) -> Scalar:
    """Return the number of the feature that both pieces are, in 63 bits of a hash."""
    key = np.uint64(middle - start)
    for i in range(start, end):
        key = _mix(key << np.uint64(21) ^ (key >> np.uint64(43)) ^ np.uint64(codes[i]))
    return key | _PAIR


@compiled
def build_joins(keys: UInts, values: Ints) -> Any:
    """Return a table of keys and weights with open addressing."""
    size = 1 << 4
    while size < 3 * len(keys):
        size *= 2
    slots = np.full(size, _EMPTY, np.uint64)
    weights = np.zeros(size, np.int32)
    mask = np.uint64(size - 1)
    for key, value in zip(keys, values):  # noqa: B905 - numba has no `strict`
        slot = _mix(key) & mask
        while slots[slot] != _EMPTY and slots[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = key
        weights[slot] = value
    return slots, weights


@compiled
def _join_weight(joins: Any, key: Scalar) -> Scalar:
    slots, weights = joins
    mask = np.uint64(len(slots) - 1)
    slot = _mix(key) & mask
    while slots[slot] != _EMPTY:
        if slots[slot] == key:
            return weights[slot]
        slot = (slot + np.uint64(1)) & mask
    return 0


@compiled
def _is_one_word(
    codes: Codes, flags: Flags, start: Scalar, middle: Scalar, end: Scalar, joins: Any
) -> Scalar:
    """Return whether two neighbouring pieces are one word, as `ChineseSegmenter` decides it."""
    left_length = middle - start
    right_length = end - middle
    if left_length > 1 and right_length > 1:
        return False
    for i in range(start, end):
        if not flags[codes[i]] & HAN:
            return False
    lengths = min(left_length, 3) * 4 + min(right_length, 3)
    left = codes[middle - 2] if left_length > 1 else np.uint32(0)
    right = codes[middle + 1] if right_length > 1 else np.uint32(0)
    meeting_left = codes[middle - 1]
    meeting_right = codes[middle]
    total = _join_weight(joins, join_key(JOIN_LENGTHS, lengths, 0, 0))
    total += _join_weight(joins, pair_key(codes, start, middle, end))
    total += _join_weight(joins, join_key(JOIN_MEETING, 0, meeting_left, meeting_right))
    total += _join_weight(joins, join_key(JOIN_LEFT, left_length > 1, left, meeting_left))
    total += _join_weight(joins, join_key(JOIN_RIGHT, right_length > 1, meeting_right, right))
    total += _join_weight(joins, join_key(JOIN_LEFT_END, lengths, meeting_left, 0))
    total += _join_weight(joins, join_key(JOIN_RIGHT_START, lengths, meeting_right, 0))
    total += _join_weight(joins, join_key(JOIN_LEFT_START, lengths, codes[start], 0))
    total += _join_weight(joins, join_key(JOIN_RIGHT_END, lengths, codes[end - 1], 0))
    return total > 0


@compiled
def _piece_hash(codes: Codes, start: Scalar, end: Scalar, kind: Scalar) -> Scalar:
    value = np.uint64(kind + 1)
    for i in range(start, end):
        value = _mix(value << np.uint64(21) ^ (value >> np.uint64(43)) ^ np.uint64(codes[i]))
    return value


@compiled
def find_or_add_pieces(
    codes: Codes, starts: Ints, ends: Ints, kinds: npt.NDArray[np.uint8], table: Any, counts: Ints
) -> tuple[npt.NDArray[np.int32], Ints]:
    """Return the numbers of pieces in a table, and the indices of those that were added to it.

    `counts` are the entries of the table and the characters of their texts; both rise.
    """
    slots, hashes, entry_kinds, offsets, texts = table
    numbers = np.empty(len(starts), np.int32)
    added = np.empty(len(starts), np.int64)
    added_count = 0
    mask = np.uint64(len(slots) - 1)
    for index in range(len(starts)):
        start = starts[index]
        length = ends[index] - start
        value = _piece_hash(codes, start, ends[index], kinds[index])
        slot = value & mask
        number = slots[slot]
        while number >= 0:
            is_same = hashes[number] == value and entry_kinds[number] == kinds[index]
            if is_same and offsets[number + 1] - offsets[number] == length:
                first = offsets[number]
                for i in range(length):
                    if texts[first + i] != codes[start + i]:
                        is_same = False
                        break
                if is_same:
                    break
            slot = (slot + np.uint64(1)) & mask
            number = slots[slot]
        if number < 0:
            number = counts[0]
            slots[slot] = number
            hashes[number] = value
            entry_kinds[number] = kinds[index]
            first = counts[1]
            for i in range(length):
                texts[first + i] = codes[start + i]
            counts[0] += 1
            counts[1] += length
            offsets[number + 1] = counts[1]
            added[added_count] = index
            added_count += 1
        numbers[index] = number
    return numbers, added[:added_count].copy()


@compiled
def fill_slots(slots: npt.NDArray[np.int32], hashes: UInts, count: Scalar) -> None:
    """Put the first `count` entries of a table of pieces into its empty slots."""
    mask = np.uint64(len(slots) - 1)
    for number in range(count):
        slot = hashes[number] & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number


@compiled
def list_words(
    starts: Ints, numbers: npt.NDArray[np.int32], entries: Any, text_offsets: Ints
) -> tuple[npt.NDArray[np.int32], Ints, Ints, Ints]:
    """Return the words of pieces: numbers, starts and lengths, and where each text's words begin.

    `entries` are, for each piece of the table, where its words begin, and of these the number, the
    start in the piece and the length.
    """
    word_offsets, word_numbers, word_starts, word_lengths = entries
    total = 0
    for number in numbers:
        total += word_offsets[number + 1] - word_offsets[number]
    words = np.empty(total, np.int32)
    places = np.empty(total, np.int64)
    lengths = np.empty(total, np.int64)
    offsets = np.empty(len(text_offsets), np.int64)
    count = 0
    text = 0
    for index in range(len(starts)):
        while text < len(text_offsets) and text_offsets[text] <= starts[index]:
            offsets[text] = count
            text += 1
        number = numbers[index]
        for word in range(word_offsets[number], word_offsets[number + 1]):
            words[count] = word_numbers[word]
            places[count] = starts[index] + word_starts[word]
            lengths[count] = word_lengths[word]
            count += 1
    while text < len(text_offsets):
        offsets[text] = count
        text += 1
    return words, places, lengths, offsets


@compiled
def find_markup(codes: Codes, offsets: Ints, flags: Flags) -> npt.NDArray[np.bool_]:
    """Return for each text whether it may have markup or a label of a site."""
    found = np.zeros(len(offsets) - 1, np.bool_)
    for text in range(len(offsets) - 1):
        for i in range(offsets[text], offsets[text + 1]):
            if flags[codes[i]] & MARKUP and _may_be_label(codes, i):
                found[text] = True
                break
    return found


@compiled
def _may_be_label(codes: Codes, i: Scalar) -> Scalar:
    """Return whether rea, sho, see, vie, Tr, Co, 的微 or 的秒 begins; other signs always may."""
    code = codes[i]
    following = _code_at(codes, i + 1)
    if code == 0x7684:  # 的
        return following == 0x5FAE or following == 0x79D2
    if code == 84 or code == 67:
        return following == 114 or following == 111
    is_letter = 65 <= code <= 90 or 97 <= code <= 122 or code == 0x17F
    if not is_letter:
        return True
    small = following | 32
    third = _code_at(codes, i + 2) | 32
    if code == 118 or code == 86:
        is_i = small == 105 or following == 0x130 or following == 0x131
        return is_i and third == 101
    if code == 114 or code == 82:
        return small == 101 and third == 97
    return (small == 104 and third == 111) or (small == 101 and third == 101)


@compiled
def translate(
    codes: Codes, offsets: Ints, is_ascii: npt.NDArray[np.bool_], table: Codes, unknown: Scalar
) -> tuple[Codes, Codes]:
    """Return the characters that a table gives, and those of which it says that they are unknown.

    In a text of ASCII only capital letters change.
    """
    folded = codes.copy()
    missing = np.empty(len(codes), np.uint32)
    count = 0
    for text in range(len(offsets) - 1):
        for i in range(offsets[text], offsets[text + 1]):
            code = codes[i]
            if is_ascii[text]:
                if 65 <= code <= 90:
                    folded[i] = code + np.uint32(32)
                continue
            folded[i] = table[code]
            if folded[i] == unknown:
                missing[count] = code
                count += 1
    return folded, missing[:count].copy()


@compiled
def strip_texts(
    codes: Codes, folded: Codes, offsets: Ints, flags: Flags
) -> tuple[Codes, Ints, npt.NDArray[np.bool_]]:
    """Return the characters that copies share, where those of each text begin, and which are sure.

    A text is sure when its normal form is its folded one and nothing in it can be an address, an
    account or a reposted chain.
    """
    content = np.empty(len(folded), np.uint32)
    content_offsets = np.zeros(len(offsets), np.int64)
    is_sure = np.zeros(len(offsets) - 1, np.bool_)
    count = 0
    for text in range(len(offsets) - 1):
        first = count
        sure = True
        for i in range(offsets[text], offsets[text + 1] - 1):
            if not flags[codes[i]] & SIMPLE or _may_quote(folded, i):
                sure = False
                break
            if flags[folded[i]] & CONTENT:
                content[count] = folded[i]
                count += 1
        is_sure[text] = sure and count > first
        content_offsets[text + 1] = count
    return content[:count].copy(), content_offsets, is_sure


@compiled
def _may_quote(codes: Codes, i: Scalar) -> Scalar:
    """Return whether a part of an address or of an account begins."""
    code = codes[i]
    if code == 64:  # @
        return True
    following = codes[i + 1]
    if code == 46 or code == 0x2026:  # . …
        return 48 <= following <= 57 or 97 <= following <= 122
    if code == 58:  # :
        return following == 47
    return code == 119 and following == 119  # ww


@compiled
def decide_languages(codes: Codes, offsets: Ints, flags: Flags) -> npt.NDArray[np.uint8]:
    """Return the language of each text where characters decide it (`identify_language`)."""
    decisions = np.zeros(len(offsets) - 1, np.uint8)
    for text in range(len(offsets) - 1):
        han = kana = letters = latin = latin_words = 0
        is_counted = True
        before = np.uint16(0)
        for i in range(offsets[text], offsets[text + 1]):
            flag = flags[codes[i]]
            if flag & NOT_COUNTED:
                is_counted = False
                break
            han += (flag & HAN) != 0
            kana += (flag & KANA) != 0
            letters += (flag & ALPHABETIC) != 0
            latin += (flag & LATIN) != 0
            latin_words += (flag & LATIN) != 0 and not before & LATIN
            before = flag
        if not is_counted:
            continue
        foreign = letters - han - latin
        if letters == 0 or foreign * 2 > letters or kana * 5 > han:
            decisions[text] = OTHER
        elif latin_words * 4 < han:
            decisions[text] = CHINESE
    return decisions
