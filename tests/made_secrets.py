"""Secrets that are nobody's, made up with the forms of real ones."""

import random
import string

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def made(seed: int = 7) -> dict[str, str]:
    """Return one secret of many kinds, by what it is; another seed gives others."""
    chance = random.Random(seed)

    def some(size: int, letters: str = ALNUM) -> str:
        return "".join(chance.choice(letters) for _ in range(size))

    body = "\n".join(some(64, ALNUM + "+/") for _ in range(25))
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ" + some(20) + "." + some(43)
    return {
        "github": "ghp_" + some(36),
        "github-oauth": "gho_" + some(36),
        "gitlab": "glpat-" + some(20),
        "aws-id": "AKIA" + some(16, string.ascii_uppercase + "234567"),
        "slack": f"xoxb-{some(12, string.digits)}-{some(12, string.digits)}-{some(24)}",
        "stripe": "sk_live_" + some(24),
        "openai": f"sk-{some(20)}T3BlbkFJ{some(20)}",
        "anthropic": f"sk-ant-api03-{some(93)}AA",
        "google": "AIza" + some(35),
        "npm": "npm_" + some(36),
        "mailgun": "key-" + some(32, HEX),
        "telegram": f"{some(9, '123456789')}:AA{some(33)}",
        "jwt": jwt,
        "private-key": f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----",
    }
