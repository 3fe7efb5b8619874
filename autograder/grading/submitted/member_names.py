"""The names of a zip's members: in UTF-8, or in the code page of the machine that made it."""

import re
import zipfile
from collections.abc import Sequence

UTF_8_FLAG = 0x800
# Bytes of names in each code page, if all that is not ASCII is what people write there: common Chinese characters, kana
# and kanji, Cyrillic letters with none of the Latin ones beside them, Western letters with accents.
_CODE_PAGES = (
    ("gbk", re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xf7][\xa1-\xfe]|\xa3[\xa1-\xfe])*")),
    ("cp866", re.compile(rb"(?:[^A-Za-z\x80-\xff]|[A-Za-z](?![\x80-\xff])|[\x80-\xaf\xe0-\xf1](?![A-Za-z]))*")),
    ("cp932", re.compile(rb"(?:[\x00-\x7f]|[\x81-\x83\x88-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc])*")),
    ("cp437", re.compile(rb"(?:[\x00-\x7f]|(?<=[A-Za-z])[\x80-\x9a\xa0-\xa5\xe1]|[\x80\x8e-\x9a\xa5](?=[a-z]))*")),
)


def member_names(members: Sequence[zipfile.ZipInfo]) -> tuple[list[str], bool]:
    """The names, and whether their encoding is known: one for all that do not say they are in UTF-8.

    Many programs write UTF-8 without saying so. What cannot be told is read as code page 437, as zips are by rule.
    """
    raw = [None if member.flag_bits & UTF_8_FLAG else _bytes_of(member) for member in members]
    others = [name for name in raw if name is not None and not _is_utf_8(name)]
    code_page = next((page for page, looks in _CODE_PAGES if all(map(looks.fullmatch, others))), "")
    names = []
    for member, name in zip(members, raw, strict=True):
        # The other name, `filename`, ends where a NUL stands.
        encoding = "utf-8" if name is not None and _is_utf_8(name) else code_page
        names.append(_decoded(name, encoding) if name is not None else member.orig_filename)
    return names, bool(code_page) or not others


def _bytes_of(member: zipfile.ZipInfo) -> bytes | None:
    try:
        return member.orig_filename.encode("cp437")
    except UnicodeError:
        return None


def _is_utf_8(name: bytes) -> bool:
    return _decoded(name, "utf-8", "") != "" or not name


def _decoded(name: bytes, encoding: str, otherwise: str | None = None) -> str:
    try:
        return name.decode(encoding or "cp437")
    except UnicodeError:
        return name.decode("cp437") if otherwise is None else otherwise
