"""The files of an index: their names, types and meanings.

An index is a folder beside the store with a manifest, one lexicon and some segments. It is derived
from the store and can be deleted at any time. A segment is a folder of arrays that never change:

positions
    A *document* is a post with its number in the segment, 0 to n - 1, ordered by the moment of
    publication and then by id. A *character position* counts the code points of all documents, each
    followed by one NUL. A *word position* counts the words of all documents.
postings
    Three arrays NAME_keys (sorted, unique), NAME_offsets (one more than the keys) and NAME_values:
    the values of key i are values[offsets[i]:offsets[i + 1]], in rising order.
"""

from folate.core import labels

FORMAT_VERSION = 1
"""Raised whenever the meaning of a file changes: indexes of another version are built anew."""

INDEX_FOLDER = "index"
MANIFEST_FILE = "manifest.json"
SEPARATOR = 0
"""Code point after each document, which no query contains."""

ARRAYS: dict[str, str] = {
    # of documents
    "char_offsets": "int64",  # first character position of each document, and the end
    "word_offsets": "int64",  # first word position of each document, and the end
    "authors": "uint64",  # hash of the author, or of the id where there is none (`author_key`)
    "published": "int64",  # microseconds since 1970, UTC
    "days": "int32",  # days since 1970-01-01 in the time zone of the project
    "ratings": "float32",  # 0 to 1, or NaN
    "states": "uint8",  # bits: HAS_WORDS, HAS_TAGS
    "id_offsets": "int64",  # of `id_bytes`, and the end
    "id_bytes": "uint8",  # UTF-8 of all ids
    # of characters
    "characters": "uint32",  # code points of the plain text (`FoldedText.plain`)
    "folded": "uint32",  # code points of the folded text
    # key: folded[i] << 32 | folded[i + 1]; value: i
    "pair_keys": "uint64",
    "pair_offsets": "int64",
    "pair_values": "uint32",
    # of words: ids of the lexicon, first character position and number of characters
    "words": "uint32",
    "word_starts": "uint32",
    "word_lengths": "uint32",
    "word_keys": "uint32",
    "word_key_offsets": "int64",
    "word_values": "uint32",
    "sentences": "uint32",  # word positions where a sentence begins; a document begins one
    # of words, where they are tagged; else both are 0. Ids of the lexicon; number of PART_OF_SPEECH
    "lemmas": "uint32",
    "parts": "uint8",
    "lemma_keys": "uint32",
    "lemma_offsets": "int64",
    "lemma_values": "uint32",
    # of metadata: the sorted keys such as "brand:kraft", as UTF-8, and documents by number of key
    "field_key_offsets": "int64",
    "field_key_bytes": "uint8",
    "field_offsets": "int64",
    "field_values": "uint32",
    # of ids: sorted hashes (`corpora.index.strings.hash_texts`), and the document of each
    "id_keys": "uint64",
    "id_documents": "uint32",
}

HAS_WORDS = 1
HAS_TAGS = 2
PARTS_OF_SPEECH = ("", *labels.PARTS_OF_SPEECH)
"""Universal parts of speech; "" where a word has none."""
