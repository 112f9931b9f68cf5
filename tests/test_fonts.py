"""What the faces promise: installed, static, enough letters, and small copies for the page."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from pipeline import fonts
from pipeline.errors import SettingError
from pipeline.headline import balanced_width, shortened
from tests.fontcache import FONTS

LATIN_PAGE = ("spectral-regular", "spectral-italic", "spectral-semibold", "ibmplexsanscondensed-regular")


@pytest.fixture(scope="module")
def made() -> Mapping[str, bytes]:
    return fonts.web_fonts(FONTS)


@pytest.mark.parametrize("face", fonts.FACES, ids=lambda face: face.file)
def test_every_face_is_a_static_file(face: fonts.Face) -> None:
    with TTFont(fonts.path(face)) as font:
        assert "fvar" not in font


@pytest.mark.parametrize("face", fonts.FACES, ids=lambda face: face.file)
def test_the_upright_face_speaks_for_its_family(face: fonts.Face) -> None:
    """A bold or italic may lack a rarity, which another family then has; never a letter of everyday text."""
    with TTFont(fonts.path(face)) as font:
        points = set(font.getBestCmap())
    upright = next(other for other in fonts.FACES if other.family == face.family)
    with TTFont(fonts.path(upright)) as font:
        everyday = {*range(0x20, 0x180), *range(0x400, 0x460), *range(0x621, 0x653), *range(0x2010, 0x2027)}
        assert not everyday & set(font.getBestCmap()) - points


def test_missing_package_is_a_setting_error_that_says_what_to_install() -> None:
    with pytest.raises(SettingError, match=r"Nothing\.ttf") as caught:
        fonts.path(fonts.Face("x", "fontpkg_nothing", "Nothing.ttf"))
    assert "fontpkg-nothing" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["Straße “naïve” – 1,5 €", "Łódź, Đà Nẵng", "Москва", "العربية ١٢٣", "☐ ☑ → ✓", "a\u200fb\u00adc\u2011d"]
)
def test_text_of_the_newsrooms_languages_can_be_set(text: str) -> None:
    assert fonts.missing_glyphs(text) == ()


def test_what_no_face_has_is_named_once_in_order() -> None:
    assert fonts.missing_glyphs("a漢😀漢") == ("漢", "😀")
    assert fonts.character_name("😀") == "U+1F600 GRINNING FACE"


def test_decomposed_letters_count_as_their_parts() -> None:
    assert fonts.missing_glyphs("e\u0301") == ()


def test_pdf_rules_give_private_addresses_only() -> None:
    rules = fonts.face_rules()
    assert all(f'url("{face.address}")' in rules for face in fonts.FACES)
    assert set(fonts.face_files()) == {face.address for face in fonts.FACES}
    assert "http" not in rules


def test_page_fonts_are_woff2_and_small(made: Mapping[str, bytes]) -> None:
    assert all(data.startswith(b"wOF2") for data in made.values())
    assert all(len(data) < 45_000 for name, data in made.items() if "amiri" not in name)
    assert all(len(data) < 110_000 for data in made.values())
    assert sum(len(made[f"{name}-latin.woff2"]) for name in LATIN_PAGE) < 130_000


def test_page_fonts_are_the_same_bytes_when_made_again(made: Mapping[str, bytes]) -> None:
    assert fonts._subset(fonts.FACES[0], "latin") == made["spectral-regular-latin.woff2"]


def test_kept_page_fonts_are_not_made_again(made: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(fonts, "_subset", refuse)
    assert fonts.web_fonts(FONTS) == made


def test_fonts_are_kept_under_what_they_are_made_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_subset", lambda face, script: f"{face.file} {script}".encode())
    first = fonts.web_fonts(tmp_path)
    monkeypatch.setattr(fonts, "_subset", lambda face, script: b"changed")
    assert fonts.web_fonts(tmp_path) == first
    monkeypatch.setattr(fonts, "RECIPE", -1)
    assert set(fonts.web_fonts(tmp_path).values()) == {b"changed"}


def test_subsets_keep_small_capitals_and_arabic_shaping(made: Mapping[str, bytes]) -> None:
    def features(name: str) -> set[str]:
        with TTFont(io.BytesIO(made[name])) as font:
            return {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}

    assert {"smcp", "lnum", "liga"} <= features("spectral-semibold-latin.woff2")
    assert {"init", "medi", "fina", "rlig"} <= features("amiri-regular-arabic.woff2")


def test_scripts_do_not_overlap() -> None:
    """A browser loads an Arabic face on Arabic pages only."""
    points = [set(fonts._code_points(ranges)) for ranges in fonts.SCRIPTS.values()]
    latin, cyrillic, arabic = points
    assert not latin & cyrillic
    assert not {point for point in latin & arabic if not 0x200C <= point <= 0x200F}


# --- Headlines -------------------------------------------------------------------------------------------------------

TITLE = "Archive opens catalogue of four hundred hours of human-rights footage to broadcasters in eleven languages"


def test_headline_is_no_taller_when_it_is_balanced() -> None:
    width = balanced_width(TITLE, 21, 453.5)
    assert 453.5 / 2 < width < 453.5
    assert balanced_width(TITLE, 21, width + 1) >= width - 2


def test_headline_of_one_line_is_left_alone() -> None:
    assert balanced_width("Short", 21, 453.5) == 0


def test_headline_with_an_endless_word_is_left_alone() -> None:
    assert balanced_width("Donaudampfschifffahrt" * 10, 21, 453.5) == 0


def test_running_title_is_cut_between_words() -> None:
    assert shortened("One two three", 20) == "One two three"
    assert shortened("One two, three four", 13) == "One two…"
    assert shortened("Unbreakable" * 3, 10) == "Unbreakab…"
