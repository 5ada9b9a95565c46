"""What a picture's file says of it in XMP: who made it, that nothing in it is real, and its recipe.

XMP is XML, and the files that are read are strangers'. So nothing here parses XML: the recipe is JSON
in a property of its own, with no character that XML would change but the quotation mark, and is found
between its marks. Programs that rewrite XMP keep what they do not know, as an element or an attribute.

A segment of a JPEG holds 64 KiB. What is longer lies in further ones, as part 3 of the XMP
specification has it (ExtendedXMP): each names the MD5 of the whole, its length, and its own place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dragonnx import __version__

PROVENANCE = "AI-generated: made by a StyleGAN2 generator with dragonnx; it shows nothing real."
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's word for what a trained model made; sites and search engines look for it."""

_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">{description}</x:xmpmeta>
<?xpacket end="w"?>"""
_DESCRIPTION = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dragonnx="urn:dragonnx:1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
{properties}</rdf:Description>
</rdf:RDF>"""
_ORIGIN = f"""<xmp:CreatorTool>dragonnx {__version__}</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>{_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{PROVENANCE}</rdf:li></rdf:Alt></dc:description>
"""
_EXTENDED = "<xmpNote:HasExtendedXMP>{name}</xmpNote:HasExtendedXMP>\n"
_RECIPE = "<dragonnx:recipe>{recipe}</dragonnx:recipe>\n"
_FOUND = re.compile(
    rb"<dragonnx:recipe>([^<]*)</|\bdragonnx:recipe=\"([^\"<]*)\"|\bdragonnx:recipe='([^'<]*)'"
)
_EXTENDED_NAME = re.compile(rb"\bHasExtendedXMP\s*(?:>|=\s*[\"'])\s*([0-9A-F]{32})")

_SEGMENT = b"\xff\xe1"
_MAIN = b"http://ns.adobe.com/xap/1.0/\x00"
_FURTHER = b"http://ns.adobe.com/xmp/extension/\x00"
_LONGEST_MAIN = 65_502
"""Bytes of a packet in one segment, as XMP's specification counts them."""
_PIECE = 65_000
"""Bytes in each further segment; at most some 65 400 fit."""
_NAME = 32
"""Characters of an MD5."""


def packet(recipe: Mapping[str, Any] | None) -> bytes:
    """All that a picture says of itself; without a recipe, where it has none, or in another place."""
    properties = _ORIGIN if recipe is None else _ORIGIN + _RECIPE.format(recipe=_text(recipe))
    return _packet(properties)


def jpeg_segments(recipe: Mapping[str, Any] | None) -> bytes:
    """The same as the segments of a JPEG, which come behind its first."""
    whole = packet(recipe)
    if recipe is None or len(whole) <= _LONGEST_MAIN:
        return _segment(_MAIN + whole)
    further = _DESCRIPTION.format(properties=_RECIPE.format(recipe=_text(recipe))).encode()
    name = hashlib.md5(further, usedforsecurity=False).hexdigest().upper()
    segments = [_segment(_MAIN + _packet(_ORIGIN + _EXTENDED.format(name=name)))]
    for start in range(0, len(further), _PIECE):
        place = len(further).to_bytes(4, "big") + start.to_bytes(4, "big")
        piece = further[start : start + _PIECE]
        segments.append(_segment(_FURTHER + name.encode() + place + piece))
    return b"".join(segments)


def recipe_in(main: bytes, segments: Iterable[bytes] = ()) -> str | None:
    """The JSON text of the recipe in a packet; None where there is none.

    Args:
        main: The packet.
        segments: Contents of a JPEG's segments, in which the packet may go on.
    """
    found = _FOUND.search(main)
    if found is None and (name := _EXTENDED_NAME.search(main)):
        found = _FOUND.search(_joined(_FURTHER + name[1], segments))
    if found is None:
        return None
    content = next(group for group in found.groups() if group is not None)
    for mark in (b"&quot;", b"&#34;", b"&#x22;"):
        content = content.replace(mark, b'"')
    return content.decode(errors="replace")


def _joined(start: bytes, segments: Iterable[bytes]) -> bytes:
    """What lies in segments that begin so, as far as there is no gap."""
    head = len(start) + 8
    pieces = sorted(
        (int.from_bytes(segment[head - 4 : head], "big"), segment[head:])
        for segment in segments
        if segment.startswith(start)
    )
    joined = bytearray()
    for place, piece in pieces:
        if place == len(joined):
            joined += piece
    return bytes(joined)


def _packet(properties: str) -> bytes:
    return _PACKET.format(description=_DESCRIPTION.format(properties=properties)).encode()


def _segment(content: bytes) -> bytes:
    return _SEGMENT + (len(content) + 2).to_bytes(2, "big") + content


def _text(recipe: Mapping[str, Any]) -> str:
    """A recipe as JSON; what has a meaning in XML stands in texts alone, and is written as numbers."""
    text = json.dumps(recipe, sort_keys=True)
    for mark in "&<>'":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text
