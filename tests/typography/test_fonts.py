"""The fonts: installed, static, with all letters that are needed, and as small web fonts."""

from __future__ import annotations

import io
import itertools
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from pipeline.build.reading import read
from pipeline.build.state import BuildState
from pipeline.model.errors import SettingError
from pipeline.model.manifest import EMPTY
from pipeline.reader import read_newsroom
from pipeline.start import install
from pipeline.typography import fonts
from pipeline.typography.fonts import characters, files, packages, stylesheet
from pipeline.typography.fonts.faces import code_points
from pipeline.typography.headline import balanced_width, shortened
from tests.support.fontcache import FONTS
from tests.support.newsroom import ROOT, Office

LATIN_PAGE = ("spectral-regular", "spectral-italic", "spectral-semibold", "ibmplexsanscondensed-regular")


@pytest.fixture(scope="module")
def made() -> Mapping[str, bytes]:
    return fonts.web_fonts(FONTS)


@pytest.mark.parametrize("face", fonts.FACES, ids=lambda face: face.file)
def test_every_face_is_a_static_file(face: fonts.Face) -> None:
    with TTFont(fonts.path(face)) as font:
        assert "fvar" not in font


@pytest.mark.parametrize("face", fonts.FACES, ids=lambda face: face.file)
def test_every_face_of_a_family_has_the_letters_of_everyday_text(face: fonts.Face) -> None:
    """A bold or italic may lack a rarity, which another family then has; never a letter of everyday text."""
    with TTFont(fonts.path(face)) as font:
        points = set(font.getBestCmap())
    upright = next(other for other in fonts.FACES if other.family == face.family)
    with TTFont(fonts.path(upright)) as font:
        everyday = {*range(0x20, 0x180), *range(0x400, 0x460), *range(0x621, 0x653), *range(0x2010, 0x2027)}
        assert not everyday & set(font.getBestCmap()) - points


SAMPLES = {
    "greek": ("el", "Γειά σου, Κόσμε· ἀρχὴ"),
    "hebrew": ("he", "שָׁלוֹם, עולם״"),
    "thai": ("th", "สวัสดีครับ"),
    "devanagari": ("hi", "नमस्ते, विद्यार्थी।"),
    "korean": ("ko", "안녕하세요, 大韓民國"),
    "japanese": ("ja", "こんにちは、世界。カタカナ"),
    "chinese": ("zh", "你好，世界。"),
    "traditional": ("zh-Hant", "你好，世界。"),
    "emoji": ("en", "😀 ❤️ 🇰🇷 👩‍👩‍👧 1️⃣"),
}


def there(name: str) -> fonts.Script:
    """Return a script whose faces are installed, now if need be; skip where they may not be."""
    script = fonts.by_name(name)
    packages.install_scripts([script])
    if not files.installed(script):
        pytest.skip(f"{', '.join(script.packages)} may not be installed here: {packages.install_command(script)}")
    return script


@pytest.mark.parametrize("name", SAMPLES)
def test_packages_of_a_script_cover_its_text(name: str) -> None:
    script = there(name)
    language, text = SAMPLES[name]
    assert fonts.coverage(text, language) == fonts.Coverage((script,), (), ())


@pytest.mark.parametrize("name", SAMPLES)
def test_every_face_of_a_script_is_a_static_file_of_its_own(name: str) -> None:
    for face in there(name).faces:
        with TTFont(fonts.path(face)) as font:  # a collection would ask for a number
            assert "fvar" not in font


@pytest.mark.parametrize("name", ["greek", "hebrew"])
def test_face_that_comes_before_latin_has_only_letters_of_its_script(name: str) -> None:
    """Else the Latin letters of every release with one word of Greek would be set in it."""
    script = there(name)
    assert script.first
    for face in script.faces:
        if face.axes:
            with TTFont(fonts.path(face)) as font:
                assert set(font.getBestCmap()) <= {0x20, 0xA0, *code_points(script.ranges)}


def test_extracting_a_face_again_gives_the_same_bytes() -> None:
    face = there("hebrew").faces[1]
    kept = fonts.path(face).read_bytes()
    source = files.source(face)
    assert source
    assert files._extract(face, source) == kept


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("漢字", "ja", "japanese"),
        ("漢字", "ko-KR", "korean"),
        ("漢字", "zh-CN", "chinese"),
        ("漢字", "zh-HK", "traditional"),
        ("漢字 かな", "en", "japanese"),
        ("漢字 한국", "fr", "korean"),
        ("漢字", "fr", "chinese"),
    ],
)
def test_chinese_characters_have_the_form_of_the_language(text: str, language: str, name: str) -> None:
    assert fonts.coverage(text, language).scripts == (there(name),)


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("21ˢᵗ, 1ᵉʳ, 10⁻⁶, x⁺", "en", ["rare letters"]),
        ("Ɓ Ɖ ŋ ǁ ǃ ʔ ə ʷ", "ff", ["rare letters"]),
        ("₾ ₸ ⃀ ‱ ‣ ⁃ ℃ ℞", "en", ["rare letters"]),
        ("① Ⓐ ♯ ⅻ", "en", ["sans symbols"]),
        ("★ ☎ ♠ ➤ ✗", "en", ["sans symbols2"]),
        ("∭ ⇏ ⟦ 𝔄", "en", ["sans math"]),
        ("𝄞", "en", ["music"]),
        ("お知らせ※①②★☆℃℡◎", "ja", ["japanese"]),
        ("알림 ※①②★☆℃℡◎", "ko", ["korean"]),
        ("お知らせ♯ˢ", "ja", ["rare letters", "japanese"]),
        ("葛\U000e0100城", "ja", ["japanese"]),
        ("★ ❤\ufe0f", "en", ["sans symbols2", "emoji"]),
        ("★\ufe0f ❤\ufe0f", "en", ["sans symbols2", "emoji"]),
        ("⚡ ✅ ⭐", "en", ["emoji"]),
    ],
)
def test_sign_is_set_in_a_face_that_has_it(text: str, language: str, names: list[str]) -> None:
    for script in fonts.SIGNS:
        there(script.name)
    found = fonts.coverage(text, language)
    assert (found.lacking, found.unknown) == ((), ())
    assert {script.name for script in found.scripts} == set(names)


BLOCKS = {
    "Latin Extended-A and B": (0x100, 0x24F),
    "IPA Extensions": (0x250, 0x2AF),
    "Spacing Modifier Letters": (0x2B0, 0x2FF),
    "Combining Diacritical Marks": (0x300, 0x36F),
    "Cyrillic": (0x400, 0x52F),
    "Phonetic Extensions": (0x1D00, 0x1DBF),
    "Latin Extended Additional": (0x1E00, 0x1EFF),
    "General Punctuation": (0x2000, 0x206F),
    "Superscripts and Subscripts": (0x2070, 0x209F),
    "Currency Symbols": (0x20A0, 0x20CF),
    "Letterlike Symbols": (0x2100, 0x214F),
    "Number Forms": (0x2150, 0x218F),
    "Arrows": (0x2190, 0x21FF),
    "Mathematical Operators": (0x2200, 0x22FF),
    "Miscellaneous Technical": (0x2300, 0x23FF),
    "Enclosed Alphanumerics": (0x2460, 0x24FF),
    "Box Drawing": (0x2500, 0x257F),
    "Block Elements": (0x2580, 0x259F),
    "Geometric Shapes": (0x25A0, 0x25FF),
    "Miscellaneous Symbols": (0x2600, 0x26FF),
    "Dingbats": (0x2700, 0x27BF),
    "Supplemental Arrows and Mathematical Symbols": (0x27C0, 0x2AFF),
    "Miscellaneous Symbols and Arrows": (0x2B00, 0x2BFF),
    "Latin Extended-C": (0x2C60, 0x2C7F),
    "CJK Symbols and Punctuation": (0x3000, 0x303F),
    "Enclosed CJK Letters and Months": (0x3200, 0x32FF),
    "CJK Compatibility": (0x3300, 0x33FF),
    "Latin Extended-D": (0xA720, 0xA7FF),
    "Halfwidth and Fullwidth Forms": (0xFF00, 0xFFEF),
    "Musical Symbols": (0x1D100, 0x1D1FF),
    "Mathematical Alphanumeric Symbols": (0x1D400, 0x1D7FF),
    "Enclosed Alphanumeric Supplement": (0x1F100, 0x1F1FF),
}
NOWHERE = set(code_points("U+23B7-23BD, U+332C, U+1F10D-1F10F, U+1F16D-1F16F, U+1F1AD, U+1D1E9-1D1EA"))
"""Signs of these blocks that no face has."""


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
@pytest.mark.parametrize("block", BLOCKS)
def test_no_sign_is_refused_that_a_face_has(block: str, language: str) -> None:
    needed = [*fonts.SIGNS, *map(fonts.by_name, ("japanese", "korean", "chinese", "emoji"))]
    has = characters._covered(tuple(face for script in needed for face in there(script.name).faces))
    first, last = BLOCKS[block]
    assigned = [chr(p) for p in range(first, last + 1) if unicodedata.category(chr(p)) not in {"Cn", "Cf", "Zs"}]
    refused = {ord(character) for sign in assigned for character in unset(sign, language)}
    assert refused <= NOWHERE
    assert not refused & has


def test_private_and_unassigned_characters_ask_for_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(characters, "installed", lambda script: False)
    found = fonts.coverage("\ue000 \u2427 \U00012000", "en")
    assert (found.lacking, found.unknown) == ((), ("\ue000", "\u2427", "\U00012000"))


def test_character_of_a_script_that_is_not_installed_is_reported_with_the_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(characters, "installed", lambda script: False)
    found = fonts.coverage("a 한한 ש", "en")
    assert [(character, script.name) for character, script in found.lacking] == [("한", "korean"), ("ש", "hebrew")]
    korean, hebrew = (script for _, script in found.lacking)
    assert packages.install_command(korean).endswith(" fonts-noto-cjk")
    assert "fontpkg-frank-ruhl-libre" in packages.install_command(hebrew)


def test_release_is_refused_with_the_install_command_if_its_faces_may_not_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def refuse(packages: tuple[str, ...]) -> str:
        asked.append(packages)
        return "sudo apt-get …"

    monkeypatch.setattr(files, "source", lambda face: None)
    monkeypatch.setattr(install, "install_packages", refuse)
    files.forget()
    packages._install.cache_clear()
    office = Office(tmp_path)
    for slug in ("one", "two"):
        office.write(slug, body="A word.\n\nAnother 말 and one more 글.")
    state = BuildState(office.content, tmp_path / "output")
    state.prepare()
    found = list(read(state, read_newsroom(office.content), EMPTY, ["one", "two"], datetime(2026, 6, 1, tzinfo=UTC)))
    packages._install.cache_clear()
    files.forget()
    assert [each.refused for each in found] == [True, True]
    (fault,) = found[0].faults
    assert (Path(fault.source).name, fault.line) == ("one.md", 7)
    assert fault.message == "no installed font has U+B9D0 HANGUL SYLLABLE MAL and 1 more"
    assert "fonts-noto-cjk" in fault.hint
    assert "apt-get install" in fault.hint
    assert asked == [("fonts-noto-cjk",)]  # once a run, not once a release
    assert not state.parsed_release("one")


def test_every_package_of_a_script_is_locked() -> None:
    locked = (ROOT / "requirements-scripts.lock").read_text("utf-8") + (ROOT / "requirements.lock").read_text("utf-8")
    wanted = {package for script in fonts.SCRIPTS if not script.debian for package in script.packages}
    assert {package for package in wanted if f"\n{package}==" not in f"\n{locked}"} == set()


def test_pages_of_a_newsroom_get_the_scripts_of_its_languages() -> None:
    def families(*languages: str) -> set[str]:
        return {face.family for face in fonts.page_faces(languages)} - {face.family for face in fonts.FACES}

    assert families("en-GB", "ko", "zh-Hant") == set()
    assert families("en", "he-IL", "el") == {"Greek Serif", "Greek Sans", "Hebrew Serif", "Hebrew Sans"}


def test_wide_letters_and_marks_have_their_width() -> None:
    face = fonts.FACES[0]
    assert fonts.text_width("한국", face) == 2
    assert fonts.text_width("กํ", face) == 0.5


def test_missing_package_is_a_setting_error_that_says_what_to_install() -> None:
    with pytest.raises(SettingError, match=r"Nothing\.ttf") as caught:
        fonts.path(fonts.Face("x", "fontpkg_nothing", "Nothing.ttf"))
    assert "fontpkg-nothing" in caught.value.hint


def unset(text: str, language: str = "en") -> tuple[str, ...]:
    """Return the characters that cannot be set without further packages."""
    found = fonts.coverage(text, language)
    return (*found.unknown, *(character for character, _ in found.lacking))


@pytest.mark.parametrize(
    "text", ["Straße “naïve” – 1,5 €", "Łódź, Đà Nẵng", "Москва", "العربية ١٢٣", "☐ ☑ → ✓", "a\u200fb\u00adc\u2011d"]
)
def test_text_of_the_always_installed_scripts_is_covered(text: str) -> None:
    assert fonts.coverage(text, "en") == fonts.Coverage((), (), ())


def test_characters_that_no_face_has_are_reported_once_in_order() -> None:
    assert fonts.coverage("a\ua9d7b\U00012000\ua9d7", "en").unknown == ("\ua9d7", "\U00012000")
    assert fonts.character_name("😀") == "U+1F600 GRINNING FACE"


def test_decomposed_letters_count_as_their_parts() -> None:
    assert unset("e\u0301") == ()


def test_pdf_rules_have_only_private_addresses() -> None:
    rules = fonts.face_rules()
    assert all(f'url("{face.address}")' in rules for face in fonts.FACES)
    assert set(fonts.face_files()) == {face.address for face in fonts.FACES}
    assert "http" not in rules


def test_web_fonts_are_small_woff2_files(made: Mapping[str, bytes]) -> None:
    assert all(data.startswith(b"wOF2") for data in made.values())
    assert all(len(data) < 45_000 for name, data in made.items() if "amiri" not in name)
    assert all(len(data) < 110_000 for data in made.values())
    assert sum(len(made[f"{name}-latin.woff2"]) for name in LATIN_PAGE) < 130_000


def test_making_a_web_font_again_gives_the_same_bytes(made: Mapping[str, bytes]) -> None:
    assert stylesheet._subset(fonts.FACES[0], "latin") == made["spectral-regular-latin.woff2"]


def test_cached_web_fonts_are_not_made_again(made: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(stylesheet, "_subset", refuse)
    assert fonts.web_fonts(FONTS) == made


def test_cached_web_fonts_are_replaced_when_the_recipe_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stylesheet, "_subset", lambda face, script: f"{face.file} {script}".encode())
    first = fonts.web_fonts(tmp_path)
    monkeypatch.setattr(stylesheet, "_subset", lambda face, script: b"changed")
    assert fonts.web_fonts(tmp_path) == first
    monkeypatch.setattr(stylesheet, "RECIPE", -1)
    assert set(fonts.web_fonts(tmp_path).values()) == {b"changed"}


def test_subsets_keep_small_capitals_and_arabic_shaping(made: Mapping[str, bytes]) -> None:
    def features(name: str) -> set[str]:
        with TTFont(io.BytesIO(made[name])) as font:
            return {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}

    assert {"smcp", "lnum", "liga"} <= features("spectral-semibold-latin.woff2")
    assert {"init", "medi", "fina", "rlig"} <= features("amiri-regular-arabic.woff2")


def test_subsets_of_scripts_do_not_overlap() -> None:
    """A browser loads an Arabic face on Arabic pages only."""
    points = {name: set(code_points(ranges)) for name, ranges in fonts.SUBSETS.items()}
    shared = {0x200C, 0x200D, 0x200E, 0x200F, 0x25CC}  # joiners, marks of direction, the circle under a lone vowel
    for one, other in itertools.combinations(points.values(), 2):
        assert one & other <= shared


# --- Headlines -------------------------------------------------------------------------------------------------------

TITLE = "Archive opens catalogue of four hundred hours of human-rights footage to broadcasters in eleven languages"


def test_balanced_headline_has_no_more_lines() -> None:
    width = balanced_width(TITLE, 21, 453.5)
    assert 453.5 / 2 < width < 453.5
    assert balanced_width(TITLE, 21, width + 1) >= width - 2


def test_headline_on_one_line_is_not_balanced() -> None:
    assert balanced_width("Short", 21, 453.5) == 0


def test_headline_with_a_word_that_is_too_long_is_not_balanced() -> None:
    assert balanced_width("Donaudampfschifffahrt" * 10, 21, 453.5) == 0


def test_running_title_is_cut_between_words() -> None:
    assert shortened("One two three", 20) == "One two three"
    assert shortened("One two, three four", 13) == "One two…"
    assert shortened("Unbreakable" * 3, 10) == "Unbreakab…"
