"""The pages of the documentation: their links lead somewhere, their lists are complete, and README.md is short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import msgspec
import pytest
import yaml

from pipeline.model.errors import WARNINGS
from pipeline.model.footage import Footage, FootageFile, Shot
from pipeline.model.newsroom import Newsroom, Topic
from pipeline.model.release import Contact, Rights
from pipeline.reader import read_newsroom
from pipeline.reader.footage import KEYS
from pipeline.reader.frontmatter import Metadata
from tests.documentation.pages import PAGES, ROOT, anchors, blocks, links, text_of
from tests.support import signing_keys
from tests.support.films import CAPTIONS, film
from tests.support.pictures import encoded, scene

README_WORDS = 1100
SETTINGS = text_of("docs/settings.md")
RENAMED = {
    "tag_authority": "feeds.tag_authority",
    "feed_items": "feeds.items",
    "default_contacts": "defaults.contacts",
    "default_footage": "defaults.footage",
    "warnings_off": "warnings.off",
    "signatures_required": "organisation.signatures",
}
"""Fields of ``Newsroom`` that newsroom.toml has under another name; the others are keys of [organisation]."""
TABLES: dict[str, type[msgspec.Struct]] = {"contacts": Contact, "footage": Footage, "topics": Topic}
"""Fields of ``Newsroom`` that are tables of their own."""
PARTS_OF_FOOTAGE: tuple[type[msgspec.Struct], ...] = (FootageFile, Shot)
STRUCTS: dict[str, type[msgspec.Struct]] = {"organisation": Newsroom, **TABLES}


def test_readme_is_one_and_a_half_screens() -> None:
    assert len(text_of("README.md").split()) < README_WORDS


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: str) -> None:
    folder = (ROOT / page).parent
    dead = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (folder / unquote(path)).resolve() if path else ROOT / page
        if not file.exists() or (anchor and anchor not in anchors(str(file.relative_to(ROOT)))):
            dead.append(target)
    assert dead == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    assert {page for page in PAGES if page != "README.md"} <= {
        target.partition("#")[0] for target in links("README.md")
    }


def test_every_picture_is_shown() -> None:
    shown = {Path(target).name for page in PAGES for target in links(page) if target.endswith(".png")}
    assert {file.name for file in (ROOT / "docs" / "pictures").glob("*.png")} <= shown


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def documented() -> dict[str, str]:
    """Return the keys of docs/settings.md with the default that it states, below the name of their table."""
    found = {}
    for section in SETTINGS.split("\n## ")[1:]:
        table = re.match(r"\[(\w+)", section)
        assert table, section[:40]
        for row in re.findall(r"^\| (`.*)\|$", section, re.MULTILINE):
            names, _, default, _ = (cell.strip() for cell in f"{row}".split(" | "))
            found.update({f"{table[1]}.{name}": default.strip("`") for name in re.findall(r"`(\w+)`", names)})
    return found


def of_the_code() -> dict[str, object]:
    """Return the keys of the types of newsroom.toml with their defaults."""
    found: dict[str, object] = {}
    for table, struct in [*STRUCTS.items(), *(("footage", each) for each in PARTS_OF_FOOTAGE)]:
        for each in msgspec.structs.fields(struct):
            required = each.default is msgspec.NODEFAULT and each.default_factory is msgspec.NODEFAULT
            default = "required" if required else "" if each.default is msgspec.NODEFAULT else each.default
            if struct is Newsroom and (each.name in TABLES or each.name == "signs"):  # that is a file of its own
                continue
            if each.name not in ("id", "labels") and not (struct is FootageFile and each.name not in KEYS):
                named = each.encode_name
                key = RENAMED.get(named, f"{table}.{named}") if struct is Newsroom else f"{table}.{named}"
                found.setdefault(key, "optional" if default is False else default)
    return found | {"footage.captions": ""}


def test_settings_page_has_every_key_that_the_code_reads_and_no_other() -> None:
    assert documented().keys() == of_the_code().keys()


def test_settings_page_states_the_defaults_of_the_code() -> None:
    stated, real = documented(), of_the_code()
    assert {key for key, value in stated.items() if value == "required"} == {
        key for key, value in real.items() if value == "required"
    }
    plain = {
        key: str(value) for key, value in real.items() if isinstance(value, int | str) and value not in ("", "required")
    }
    assert {key: stated[key] for key in plain} == plain


def test_example_of_the_settings_page_has_every_key_and_is_accepted(tmp_path: Path) -> None:
    (example,) = blocks("docs/settings.md", "toml")
    (tmp_path / "newsroom.toml").write_text(example.code, "utf-8")
    (tmp_path / "logo.png").write_bytes(encoded(scene(40, 40), "PNG"))
    (tmp_path / "signers").write_text(signing_keys.line(signing_keys.new_key(tmp_path / "key")), "utf-8")
    film(tmp_path / "ferry.mov")
    film(tmp_path / "ferry.mp4")
    (tmp_path / "ferry.vtt").write_text(CAPTIONS)
    read_newsroom(tmp_path)
    found = set()
    for table, value in tomllib.loads(example.code).items():
        inner = value.values() if table in TABLES and table != "topics" else [value]
        found |= {f"{table}.{key}" for each in inner for key in each}
        for each in inner if table == "footage" else ():
            found |= {f"footage.{key}" for part in (*each["files"], *each["shots"]) for key in part}
    found = {key for key in found if not key.startswith("topics.")} | {"topics.label"}
    assert found == documented().keys()


# ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_writing_page_has_every_key_of_the_front_matter() -> None:
    table = text_of("docs/writing.md").split("## The keys")[1].split("## ")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert named == set(Metadata.__struct_fields__) - {"facts"} | {"reference", "ai", "pictures"}
    inner = {key for block in blocks("docs/writing.md", "yaml") for value in yaml.safe_load(block.code).values()
             if isinstance(value, dict) for key in value}  # fmt: skip
    rights = set(Rights.__struct_fields__)
    assert set(Footage.__struct_fields__) | {"captions", "file", "alt", "caption", "credit"} | rights == inner


def test_writing_page_has_every_warning() -> None:
    table = text_of("docs/writing.md").split("| warning | says that |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| ((?:`[a-z-]+` ?)+)\|", table, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`([a-z-]+)`", row)) == sorted(WARNINGS)


# ── Variables and examples ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_variable_that_the_code_reads_is_documented() -> None:
    code = "".join(file.read_text("utf-8") for file in (ROOT / "pipeline").rglob("*.py"))
    pages = "".join(map(text_of, PAGES))
    assert {name for name in re.findall(r"\bPRESS_(?!RELEASE)[A-Z_]*[A-Z]", code) if f"`{name}" not in pages} == set()


@pytest.mark.parametrize("page", PAGES)
def test_examples_in_yaml_toml_and_json_can_be_read(page: str) -> None:
    for block in blocks(page, "yaml"):
        yaml.safe_load(block.code)
    for block in blocks(page, "toml"):
        tomllib.loads(block.code)
    for block in blocks(page, "json"):
        msgspec.json.decode(block.code)
