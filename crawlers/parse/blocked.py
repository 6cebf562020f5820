"""Recognition of pages served in place of the requested one: logins, captchas, rate limits."""

import re
from urllib.parse import urlsplit

from crawlers.parse.markup import select_css, visible_text
from crawlers.parse.page import Page

_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|passport|auth/login|account/login|member\.php)\b", re.I
)
_CAPTCHA_TEXT = re.compile(
    r"captcha|验证码|安全验证|人机验证|滑动验证|访问(过于)?频繁|请求过于频繁"
    r"|unusual traffic|are you (a )?(human|robot)"
    r"|verify (that )?you are (a )?human|just a moment\.\.\.|access denied|too many requests",
    re.I,
)
_MAX_TEXT_LENGTH = 3000  # characters; a page that discusses captchas is longer


def blocking_reason(page: Page) -> str | None:
    """Return `login page`, `captcha` or None.

    It is meant for pages without any result: a forum may well discuss captchas.
    """
    if _LOGIN_PATH.search(urlsplit(page.url).path):
        return "login page"
    if page.json is not None:
        return None
    if not (_CAPTCHA_TEXT.search(page.text) or "password" in page.text):
        return None
    text = visible_text(page.tree)
    if len(text) > _MAX_TEXT_LENGTH:
        return None
    if _CAPTCHA_TEXT.search(f"{text} {page.tree.findtext('.//title') or ''}") or select_css(
        page.tree, 'iframe[src*="captcha"], [class*="captcha"]'
    ):
        return "captcha"
    return "login page" if select_css(page.tree, 'input[type="password"]') else None
