"""Pages that stand in the way of the one asked for: logins, captchas, "too many requests" served as 200."""

import re
from urllib.parse import urlsplit

from crawlers.parse.markup import select_css, visible_text
from crawlers.parse.page import Page

_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|passport|auth/login|account/login|member\.php)\b", re.I
)
_CAPTCHA = re.compile(
    r"captcha|验证码|安全验证|人机验证|滑动验证|访问(过于)?频繁|请求过于频繁|unusual traffic|are you (a )?(human|robot)"
    r"|verify (that )?you are (a )?human|just a moment\.\.\.|access denied|too many requests",
    re.I,
)
_LONGEST = 3000  # characters; a wall says little, a page that talks about captchas says more


def blocking_reason(page: Page) -> str | None:
    """`login page`, `captcha` or None. To be asked of pages that gave nothing: a forum may well discuss captchas."""
    if _LOGIN_PATH.search(urlsplit(page.url).path):
        return "login page"
    if page.json is not None:
        return None
    if not (_CAPTCHA.search(page.text) or "password" in page.text):
        return None
    text = visible_text(page.tree)
    if len(text) > _LONGEST:
        return None
    if _CAPTCHA.search(f"{text} {page.tree.findtext('.//title') or ''}") or select_css(
        page.tree, 'iframe[src*="captcha"], [class*="captcha"]'
    ):
        return "captcha"
    return "login page" if select_css(page.tree, 'input[type="password"]') else None
