"""Text that is copied, searched or read aloud out of a PDF is the text of the release, in every script.

Read with three readers: pdfium, which browsers have, and poppler's pdftotext and mutool where they are installed. The
first two find text from the right by turning round what was drawn. What they make of a right file nevertheless is named
here, and held too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pypdfium2
import pytest
from msgspec import structs

from pipeline.build import parity
from pipeline.build.parity.expected import article_words
from pipeline.build.parity.pdf import _head_and_foot
from pipeline.model.document import Block, Link, Paragraph, Text
from pipeline.model.errors import RenderError
from pipeline.model.formats import by_name
from pipeline.typography import fonts
from pipeline.writers import RenderInput, pdf
from pipeline.writers.pdf import text_layer
from pipeline.writers.pdf.text_layer import meaning
from tests.support import pdf_readers, sample
from tests.support.newsroom import SAMPLE
from tests.support.renditions import of_pdf
from tests.writers import cases

FROM_LEFT = ("greek", "cyrillic", "korean", "japanese", "chinese", "traditional", "thai", "devanagari", "emoji")
PARTED = {
    "arabic": ["فورًا"],
    "hebrew": [],
    "mixed": ["فورًا"],
    "south-korea-first-year-ar": ["فورًا", "يُذكر", "وتُعد", "صُورت"],
}
"""What runs from the right; and words that pdfium takes apart, for it orders the pieces of a line by where they begin,
and a mark that is raised is a piece."""
ASTRAL = re.compile("[\U00010000-\U0010ffff]")
"""Emoji are pictures on paper: pdfium passes over glyphs without ink, and over these characters in ActualText."""
RUN = re.compile(r"\d+|[^\W\d_](?:[^\W\d_]|[\u0591-\u05c7\u064b-\u065f\u0670])*")
"""Letters with their points, or figures. What is between them readers put elsewhere when lines run from the right."""


def written(name: str) -> tuple[RenderInput, bytes]:
    folder = SAMPLE if name.startswith("south") else cases.FOLDER / name
    render_input, made = cases.written(folder / f"{name}.md")
    return render_input, made["pdf"]


def by_poppler(data: bytes, folder: Path) -> str:
    return re.sub("[\u200e\u200f\u202a-\u202e]", "", pdf_readers.by_poppler(data, folder))


def article(render_input: RenderInput) -> str:
    return folded(" ".join(article_words(render_input.article, render_input.messages)))


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def neighbours(messages: list[str]) -> Iterator[str]:
    """Yield what words make that stand beside each other, as the parts of a word do that a line's end has parted."""
    for begin in range(len(messages)):
        for end in range(begin + 2, min(begin + 8, len(messages)) + 1):
            yield "".join(messages[begin:end])


def lost_words(render_input: RenderInput, told: str) -> list[str]:
    found = folded(told).split()
    lost = Counter(article(render_input).split()) - Counter(found)
    return sorted((lost - Counter(neighbours(found))).elements())


def letters(text: str) -> Counter[str]:
    """Count letters, without points."""
    return Counter(sign for sign in unicodedata.normalize("NFKD", text) if sign.isalpha())


@pytest.mark.parametrize("name", FROM_LEFT)
def test_words_from_the_left_are_read_whole(name: str, tmp_path: Path) -> None:
    render_input, data = written(name)
    lost = lost_words(render_input, of_pdf(data))
    assert all(ASTRAL.search(word) for word in lost), lost
    assert lost_words(render_input, by_poppler(data, tmp_path)) == []


@pytest.mark.parametrize("name", PARTED)
def test_words_from_the_right_are_read_whole(name: str) -> None:
    render_input, data = written(name)
    found = Counter(RUN.findall(folded(of_pdf(data))))
    assert sorted((Counter(RUN.findall(article(render_input))) - found).elements()) == sorted(map(folded, PARTED[name]))


@pytest.mark.parametrize("name", PARTED)
def test_every_letter_from_the_right_is_read_once(name: str, tmp_path: Path) -> None:
    render_input, data = written(name)
    pages = len(pypdfium2.PdfDocument(data))
    frames = (line for page in range(1, pages + 1) for line in _head_and_foot(render_input, page, pages))
    wanted = letters(article(render_input) + folded("".join(frames)))
    assert letters(folded(of_pdf(data))) == wanted
    assert letters(folded(by_poppler(data, tmp_path))) == wanted


PLANTED = {
    "arabic": "الشريط",
    "hebrew": "מוזיקה",
    "devanagari": "संगीत",
    "thai": "ดนตรี",
    "korean": "음악",
    "japanese": "音楽",
    "chinese": "音乐",
}
"""A word of each release, in its body."""


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("change", ["a lost word", "an added word", "turned figures"])
def test_a_difference_is_found_in_every_script(name: str, change: str) -> None:
    render_input, _ = written(name)
    word = PLANTED[name]
    old, new = {"a lost word": (word, ""), "an added word": (word, word * 2)}.get(change, ("42", "24"))
    body = msgspec.json.encode(render_input.article.body)
    assert old.encode() in body
    changed = msgspec.json.decode(body.replace(old.encode(), new.encode(), 1), type=tuple[Block, ...])
    data = pdf.write(structs.replace(render_input, article=structs.replace(render_input.article, body=changed))).data
    with pytest.raises(RenderError, match="does not say what the release says: "):
        parity.check(by_name("pdf"), render_input, data)


@pytest.mark.parametrize("name", ["devanagari", "thai", "emoji", "arabic", "hebrew", "mixed"])
def test_what_is_written_for_readers_changes_nothing_on_paper(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm is not installed")
    render_input, data = written(name)
    monkeypatch.setattr(text_layer, "legible", lambda document: nullcontext({}))
    plain = pdf.write(render_input).data
    assert plain != data
    assert picture(data, tmp_path) == picture(plain, tmp_path)


def picture(data: bytes, folder: Path) -> list[bytes]:
    (folder / "release.pdf").write_bytes(data)
    subprocess.run(["pdftoppm", "-r", "60", str(folder / "release.pdf"), str(folder / "page")], check=True)
    return [page.read_bytes() for page in sorted(folder.glob("page*"))]


def test_plain_letters_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    render_input, data = written("greek")
    monkeypatch.setattr(text_layer, "legible", lambda document: nullcontext({}))
    plain = pdf.write(render_input).data
    assert b"/ActualText" not in cases.inflated(data)
    assert len(data) < len(plain) * 1.02


def test_emoji_carry_no_time_of_day(monkeypatch: pytest.MonkeyPatch) -> None:
    render_input, data = written("emoji")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    later = pdf.write(render_input).data
    assert later == data
    assert os.environ["SOURCE_DATE_EPOCH"] == "1234567890"


def test_a_glyph_means_what_its_letters_ask_for() -> None:
    found = {1: ("(",), 2: ("ي", "ى"), 3: ("لا",)}
    assert meaning(found, 1, ")") == "("
    assert meaning(found, 2, "ى") == "ى"
    assert meaning(found, 3, "لا") == "\ufefb"
    assert meaning(found, 5, "ب") == "ب"


# Texts whose last words, or a link, come after a mark; blanks there are boxes of their own.
ENDINGS = {
    "am": "ወደቡ በመጋቢት ይከፈታል ብለዋል ዳይሬክተሯ።",
    "bn": "পরিচালক বলেছেন বন্দরটি মার্চ মাসে খুলবে এবং সবাই আসতে পারবে।",
    "gu": "નિયામકે કહ્યું કે ગોદી વસંતમાં ફરી ખૂલશે અને સૌનું સ્વાગત છે.",
    "hi": "संग्रहालय ने बताया कि पुराने पुल की तस्वीरें वसंत में दिखाई जाएंगी और सभी के लिए खुली हैं।",
    "kn": "ಹಳೆಯ ಸೇತುವೆಯ ಚಿತ್ರಗಳು ವಸಂತದಲ್ಲಿ ಮತ್ತೆ ಎಲ್ಲರಿಗೂ ತೆರೆಯುತ್ತವೆ ಎಂದು ಹೇಳಿದರು.",
    "km": "ស្ពានចាស់នឹងបើកឡើងវិញ នៅរដូវក្ដៅ។",
    "lo": "ຂົວເກົ່າຈະເປີດຄືນ ໃນລະດູຮ້ອນ ສຳລັບທຸກຄົນ",
    "ml": "പഴയ പാലം വസന്തത്തിൽ വീണ്ടും തുറക്കുമെന്ന് ഡയറക്ടർ പറഞ്ഞു.",
    "mr": "जुन्या पुलाची छायाचित्रे वसंतात पुन्हा सर्वांसाठी खुली होतील असे त्यांनी सांगितले.",
    "my": "တံတားဟောင်းကို နွေဦးရာသီတွင် ပြန်ဖွင့်မည် ဖြစ်ပါသည်။",
    "ne": "पुरानो पुल वसन्तमा फेरि सबैका लागि खुल्ने छ भनेर निर्देशकले भन्नुभयो।",
    "pa": "ਪੁਰਾਣੇ ਪੁਲ ਦੀਆਂ ਤਸਵੀਰਾਂ ਬਸੰਤ ਵਿੱਚ ਸਭ ਲਈ ਖੁੱਲ੍ਹਣਗੀਆਂ।",
    "si": "පැරණි පාලම වසන්තයේ දී යළි විවෘත වේ යැයි අධ්‍යක්ෂවරිය කීවාය.",
    "ta": "பழைய பாலம் வசந்த காலத்தில் மீண்டும் திறக்கப்படும் என்று இயக்குநர் கூறினார்.",
    "te": "పాత వంతెన వసంతంలో మళ్ళీ అందరికీ తెరుచుకుంటుందని దర్శకురాలు చెప్పారు.",
    "th": "สะพานเก่าจะเปิดอีกครั้ง ในฤดูร้อน สำหรับทุกคน ทำงานแล้ว",
    "vi": "Cây cầu cũ sẽ mở lại vào mùa xuân cho tất cả mọi người.",
    "yo": "Afárá àtijọ́ náà yóò tún ṣí ní ìgbà ẹ̀rùn, gbogbo ènìyàn ni a pè sí ọjọ́ náà.",
}


def ending_in_links(text: str) -> tuple[Block, ...]:
    words = text.split(" ")
    first, last = " ".join(words[:-1]), words[-1]
    link = Link("https://example.org/", (Text(last),))
    return (sample.para(text), Paragraph((Text(f"{first} "), link)), sample.para(" ".join([text] * 5)))


@pytest.mark.parametrize("language", ENDINGS)
@pytest.mark.parametrize("reader", pdf_readers.READERS)
def test_the_blank_before_the_last_words_is_read_in_every_script(language: str, reader: str, tmp_path: Path) -> None:
    text = ENDINGS[language]
    if fonts.coverage(text, language).lacking:
        pytest.skip("no faces for this script here")
    render_input = sample.render_input(language=language, body=ending_in_links(text), notes=(), pictures=())
    data = pdf.write(render_input).data
    assert parity.check(by_name("pdf"), render_input, data) == ""
    told, wanted = folded(pdf_readers.READERS[reader](data, tmp_path)), folded(text)
    if reader == "mupdf":  # it knows no ActualText up to 1.22, and takes the way back from a mark for a blank
        told, wanted = re.sub(r"\s", "", told), re.sub(r"\s", "", wanted)
    assert re.sub(r"\s+", " ", told.replace("\u200b", "")).count(wanted) >= 2


HYPHENED = ("shore-line", "AB-1234-CD", "kube-example.yml", "0800-555-01234", "2026-12-31", "Ja-und-Nein")


@pytest.mark.parametrize("reader", pdf_readers.READERS)
@pytest.mark.parametrize("word", HYPHENED)
def test_a_hyphen_at_the_end_of_a_line_is_copied_too(word: str, reader: str, tmp_path: Path) -> None:
    body = tuple(sample.para(f"{'m' * width} {word} " * 9) for width in range(1, 24))
    data = pdf.write(sample.render_input(body=body, notes=(), pictures=())).data
    # A browser leaves U+FFFE out of what it copies.
    told = re.sub(r"\s", "", pdf_readers.READERS[reader](data, tmp_path).replace("\ufffe", ""))
    assert told.count(word) == 9 * len(body)


@pytest.mark.parametrize("reader", ["pdfium", "poppler"])
def test_a_hyphen_that_divides_a_word_is_not_copied(reader: str, tmp_path: Path) -> None:
    word = "Dampfschifffahrtsgesellschaft"
    body = tuple(sample.para(f"{'m' * width} {word} " * 9) for width in range(1, 24))
    data = pdf.write(sample.render_input(language="de", body=body, notes=(), pictures=())).data
    told = re.sub(r"\s", "", pdf_readers.READERS[reader](data, tmp_path).replace("\ufffe", ""))
    assert told.count(word) > 9 * len(body) - 3  # one may be divided by the end of a page
