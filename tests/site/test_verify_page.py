"""``verify.html`` in a real browser: what it says of a file or a text; it believes nothing that is not signed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import msgspec
import pytest

from pipeline.model.formats import MINUTES, media_type
from pipeline.model.manifest import Manifest, Row, digest, with_rows
from pipeline.model.render_context import RenderContext
from pipeline.model.statement import ENTRY, FOLDER, PAGE, SIGNERS, SignedStatement, digest_of
from pipeline.publish.plan import file_of, group_of
from pipeline.publish.verification import local_links
from pipeline.site import listings, verify
from pipeline.site.assets import asset_names, assets
from pipeline.typography.messages import FOLDER as WORDS
from pipeline.typography.messages import Messages
from pipeline.validators import FOLDER as VALIDATORS
from pipeline.validators import MissingValidatorError, validate
from tests.support import sample, signed
from tests.support.browser import browse
from tests.support.fontcache import FONTS
from tests.support.newsroom import Office
from tests.support.rows import BASE, DAY, row
from tests.support.signed import NAME, SignedNewsroom, many_rows, new_key, served

TITLE = "Archive opens its catalogue of tapes"
FIRST = "SEOUL, 1 March 2026 – The archive opens a catalogue of 1,200 tapes to researchers today."
SECOND = "“Many of the recordings have not been seen since 1999,” said Ruth Okafor, head of press."
THIRD = "The catalogue is free of charge until 31 December (archive.example.org/tapes)."
LONGEST = 50_000
"""Bytes that one lookup may load beside the page."""


# ── What there is, and when it changes ──────────────────────────────────────────────────────────────────────────────


def of(*rows: Any) -> Manifest:
    return with_rows(Manifest(1), rows)


@pytest.fixture
def office(tmp_path: Path) -> SignedNewsroom:
    """A newsroom with one signed release."""
    found = SignedNewsroom(tmp_path / "public")
    found.publish("tapes", TITLE, FIRST, SECOND, THIRD)
    return found


def test_newsroom_that_does_not_sign_has_none_of_it() -> None:
    context = RenderContext(sample.NEWSROOM, b"", BASE, DAY)
    made = listings.pages(of(row("one")), context)
    assert not {key for key in (*made, *listings.keys(of(row("one")))) if key.startswith(("verify", SIGNERS))}
    assert not {key for key in listings.stamps(of(row("one")), context) if key.startswith(("verify", SIGNERS))}
    assert b"verify" not in b"".join(made.values())


def test_newsroom_that_signs_has_page_signers_and_all_shards(office: SignedNewsroom) -> None:
    made = listings.pages(office.manifest, office.render_context)
    keys = {"verify.html", "signers", "verify/index.json", *(f"verify/4/{number}.json" for number in range(16))}
    assert keys == {*verify.keys(office.manifest)}
    assert keys <= {*listings.keys(office.manifest)}
    assert {*made} == {*listings.stamps(office.manifest, office.render_context)} - {*_not_pages(office.manifest)}
    assert made["signers"].decode() == office.signers
    assert json.loads(made["verify/index.json"]) == {"bits": 4}
    assert {group_of(key) for key in keys} == {"listings"}
    assert {file_of(key, b"").cache_control for key in keys} == {MINUTES}
    assert media_type("signers") == "text/plain; charset=utf-8"
    assert f"{BASE}verify.html" in made["sitemap.xml"].decode()
    assert "verify.html" in local_links("index.html", made["index.html"])
    assert {*local_links("verify.html", made["verify.html"])} <= {*listings.keys(office.manifest)} | {*office.assets}


def _not_pages(manifest: Manifest) -> list[str]:
    return [key for key in listings.keys(manifest) if key.startswith("feed") or "atom" in key or ".search." in key]


def test_newsroom_that_has_signed_nothing_yet_has_the_page(tmp_path: Path) -> None:
    office = SignedNewsroom(tmp_path / "public")
    made = listings.pages(office.manifest, office.render_context)
    assert {"verify.html", "signers", "verify/4/15.json"} <= made.keys()
    assert made["verify/4/15.json"] == b"[]"


def looked_up(made: dict[str, bytes], sha256: str) -> list[list[Any]]:
    """Return what the shards have of a digest, as the page looks it up."""
    bits = json.loads(made["verify/index.json"])["bits"]
    shard = json.loads(made[f"verify/{bits}/{int(sha256[:4], 16) >> 16 - bits}.json"])
    return [each for each in shard if sha256[:ENTRY] in re.findall(f".{{{ENTRY}}}", each[3])]


def statements_of(listed: Row) -> list[SignedStatement]:
    assert listed.statement
    return [listed.statement, *listed.earlier_statements]


def test_every_digest_of_a_statement_leads_to_it_and_the_newest_comes_first(office: SignedNewsroom) -> None:
    first = office.publish("tapes", TITLE, FIRST, layout="another")
    second = office.publish("tapes", TITLE, SECOND)
    made = dict(verify.files(office.manifest, office.render_context))
    newest, *earlier = (each.sha256[:16] for each in statements_of(office.manifest.rows[0]))
    for sha256 in (first.words, *(sha256 for _, sha256 in first.files)):
        assert ["tapes", 2026, earlier[0]] in [each[:3] for each in looked_up(made, sha256)]
    assert [each[:3] for each in looked_up(made, digest_of(TITLE))] == [
        ["tapes", 2026, beginning] for beginning in (newest, *earlier)
    ]
    assert looked_up(made, second.words)[0][:3] == ["tapes", 2026, newest]
    assert looked_up(made, digest_of("other words")) == []


def test_new_release_changes_only_the_shards_that_list_it() -> None:
    context = RenderContext(msgspec.structs.replace(sample.NEWSROOM, signs=True), b"", BASE, DAY)
    before = of(*many_rows(300))
    new = next(iter(many_rows(1, files=3)))
    (statement,) = statements_of(new)
    new = msgspec.structs.replace(new, slug="new", statement=msgspec.structs.replace(statement, sha256="0" * 64))
    after = of(*before.rows, new)
    known = verify.contents(before, context)
    changed = {key for key, stated in verify.contents(after, context).items() if known[key] != stated}
    starts = {statement.entries[at : at + 4] for at in range(0, len(statement.entries), ENTRY)}
    assert changed == {f"verify/4/{int(start, 16) >> 12}.json" for start in starts}


@pytest.mark.parametrize("number", [10, 10_000, 30_000])
def test_one_lookup_loads_less_than_50_kb_however_long_the_archive(number: int) -> None:
    rows = tuple(many_rows(number))
    lookups = verify.files(Manifest(1, rows), signing(), _Lookups())
    assert max(map(len, lookups.values())) < LONGEST
    assert sum(map(len, lookups.values())) / len(lookups) < verify.SHARD_BYTES
    sha256 = statements_of(rows[-1])[0].entries[:ENTRY] + "0" * 52
    assert [each[0] for each in looked_up(dict(lookups), sha256)] == [rows[-1].slug]


def with_entry(listed: Row, entry: str) -> Row:
    (statement,) = statements_of(listed)
    statement = msgspec.structs.replace(statement, entries=entry + statement.entries)
    return msgspec.structs.replace(listed, statement=statement)


def test_headline_or_picture_of_many_releases_makes_no_shard_long() -> None:
    same = "0123456789ab"
    rows = tuple(with_entry(each, same) for each in many_rows(5000))
    lookups = dict(verify.files(Manifest(1, rows), signing(), _Lookups()))
    assert max(map(len, lookups.values())) < LONGEST
    assert [each[0] for each in looked_up(lookups, same + "0" * 52)] == [each.slug for each in rows[: verify.TOLD]]


class _Lookups:
    """All keys but that of the page, which lists nothing."""

    def __contains__(self, key: object) -> bool:
        return key != PAGE


def signing() -> RenderContext:
    return RenderContext(msgspec.structs.replace(sample.NEWSROOM, signs=True), b"", BASE, DAY)


def test_page_changes_with_the_signers_and_not_with_a_release(office: SignedNewsroom) -> None:
    before = listings.stamps(office.manifest, office.render_context)
    office.publish("other", "Another release", SECOND)
    office.signers += "\n"
    after = listings.stamps(office.manifest, office.render_context)
    changed = {key for key in before if after.get(key) != before[key]}
    assert {"verify.html", "signers"} <= changed
    office.signers = office.signers[:-1]
    same = listings.stamps(office.manifest, office.render_context)
    assert (same["verify.html"], same["signers"]) == (before["verify.html"], before["signers"])


@pytest.mark.parametrize("language", sorted(file.stem for file in WORDS.glob("*.toml")))
def test_page_is_in_the_language_of_the_newsroom(language: str, tmp_path: Path) -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, language=language)
    office = SignedNewsroom(tmp_path / "public", newsroom=newsroom)
    page = verify.files(office.manifest, office.render_context, {PAGE})[PAGE].decode()
    messages = Messages(language, "UTC")
    shown = re.sub(r"<[^>]+>", "", page.partition("<script>")[0])
    for name in ("verify", "verify_current", "verify_unknown", "verify_private", "verify_terminal"):
        assert messages[name] in shown
    assert f'<html lang="{language}" dir="{messages.direction}"' in page
    assert "{name}" not in shown
    assert "Open Window Archive" in page


def test_new_key_is_public_after_the_next_run(tmp_path: Path) -> None:
    """Although no release is another: pages and signers change with the file, on this machine and in public."""
    office = Office(tmp_path / "office")
    office.write("one")
    (office.content / SIGNERS).write_text(valid(""), "utf-8")
    try:
        base = office.make("publish").out.strip().splitlines()[-1].removesuffix("index.html")
        (office.content / SIGNERS).write_text(valid("") + valid("", 2), "utf-8")
        assert office.make("pages").status == 0
        assert office.files()[SIGNERS].decode() == valid("") + valid("", 2)
        assert office.make("publish").status == 0
        with build_opener(ProxyHandler({})).open(base + SIGNERS, timeout=20) as answer:
            assert answer.read().decode() == valid("") + valid("", 2)
        with build_opener(ProxyHandler({})).open(base + PAGE, timeout=20) as answer:
            assert signed.fingerprint(new_key(2)) in answer.read().decode()
        assert "nothing to do" in office.make("publish").out
        assert office.make("verify").status == 0
    finally:
        office.end()


# ── In the browser ──────────────────────────────────────────────────────────────────────────────────────────────────

LOOK = """
const [base, ...more] = given;
// Pauses are a hundredth as long, so that what is wrong for good is told at once.
const QUICK = () => {
  const real = setTimeout;
  window.setTimeout = (run, time, ...rest) => real(run, time / 100, ...rest);
};
const opened = async (options = {}, address = base, prepare = () => {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (fault) => page.faults.push(String(fault)));
  page.on("console", (line) =>
    line.type() === "error" && !/status of 404/.test(line.text()) && page.faults.push(line.text()));
  await page.addInitScript(QUICK);
  await page.addInitScript(prepare);
  await page.goto(address + "verify.html");
  return page;
};
const answer = async (page, steps) => {
  const before = await page.locator(".answer").count();
  await steps();
  await page.waitForFunction(([number, failed]) =>
    document.querySelectorAll(".answer").length > number ||
    new RegExp(failed).test(document.querySelector(".found").textContent), [before, "could not|cannot read"]);
  const shown = page.locator(".answer").first();
  if ((await page.locator(".answer").count()) === before) return [await page.textContent(".found"), "", []];
  const whole = (await shown.innerText()).replace(/[\\u2068\\u2069]/g, "");
  return [(await shown.locator("h2").innerText()).trim(), whole, page.faults];
};
const file = async (page, address, name = address.split("/").pop()) => {
  const buffer = Buffer.from(await (await fetch(address)).arrayBuffer());
  return answer(page, () => page.setInputFiles("#FILE", { name, mimeType: "application/octet-stream", buffer }));
};
const text = (page, words) => answer(page, async () => {
  await page.fill("#WORDS", words);
  await page.click("button[type=submit]");
});
"""


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> SignedNewsroom:
    """A newsroom with a release for each answer, and the files that a journalist may have of it in ``kept/``."""
    folder = tmp_path_factory.mktemp("verify")
    found = SignedNewsroom(folder / "public")
    found.signers = valid('namespaces="press-release",valid-after="20250101",valid-before="20260401"')  # and not now
    made = assets(found.newsroom, b"", FONTS)
    for key, data in made.items():
        found.put(key, data)
    found.assets = asset_names(made)

    def keep(slug: str, name: str) -> None:
        found.put(f"kept/{name}", (found.folder / f"releases/{slug}.pdf").read_bytes())

    found.publish("tapes", TITLE, FIRST, SECOND, THIRD, pictures={"tape.png": b"a picture of tapes"})
    keep("tapes", "earlier-layout.pdf")
    found.publish("tapes", TITLE, FIRST, SECOND, THIRD, layout="new", pictures={"tape.png": b"a picture of tapes"})
    keep("tapes", "current.pdf")
    found.publish("visitors", "Visitors doubled", "LONDON – 20,000 people came to see the tapes last year.")
    keep("visitors", "corrected.pdf")
    found.publish(
        "visitors", "Visitors doubled", "LONDON – 21,000 people came.", note="Correction: 21,000, not 20,000."
    )
    found.publish("merger", "Archive merges with library", "LONDON – The two merge.")
    keep("merger", "withdrawn.pdf")
    found.publish("merger", "Archive merges with library", status="canceled", note="Withdrawn: it was called off.")
    found.publish("prize", "Archive wins prize", "PARIS – It won.", status="embargoed")
    keep("prize", "embargoed.pdf")
    found.publish("prize", "Archive wins prize", "PARIS – It won.", layout="public")
    found.publish("arabic", "الأرشيف يفتح فهرس الأشرطة", ARABIC, end="انتهى")
    found.publish("hindi", "अभिलेखागार ने टेपों की सूची खोली", HINDI, end="समाप्त")
    found.publish("japanese", "アーカイブがテープの目録を公開", JAPANESE, end="以上")
    found.publish("long", "A headline that is so long that it takes two lines on paper", "ROME – Short text.")
    found.write()
    return found


ARABIC = "سيول – يفتح الأرشيف اليوم فهرسًا يضم 1200 شريط أمام الباحثين (archive.example.org)."
HINDI = "सियोल – अभिलेखागार आज शोधकर्ताओं के लिए 1200 टेपों की सूची खोल रहा है।"
JAPANESE = "ソウル――アーカイブは本日、千二百本のテープの目録を研究者に公開した。"


@pytest.fixture(scope="module")
def base(newsroom: SignedNewsroom) -> Iterator[str]:
    with served(newsroom.folder) as address:
        yield address


@pytest.fixture
def look(base: str, tmp_path: Path) -> Callable[..., list[Any]]:
    return lambda steps, *given: browse(tmp_path, LOOK + steps, base, *given)


ANSWERS = {
    "kept/current.pdf": ("Genuine and current", [TITLE, "it still holds"]),
    "releases/tapes.txt": ("Genuine and current", [TITLE]),
    "releases/tapes/tape.png": ("Genuine and current", [TITLE]),
    "kept/earlier-layout.pdf": ("Genuine and current", ["earlier layout", "same words as today"]),
    "kept/corrected.pdf": ("Genuine, corrected since", ["Correction: 21,000, not 20,000.", "Version 1, 1 March 2026"]),
    "kept/withdrawn.pdf": ("Genuine once, withdrawn", ["Withdrawn: it was called off.", "Do not use it"]),
    "kept/embargoed.pdf": ("An embargoed copy", ["Archive wins prize", "Public since 1 March 2026", "09:00"]),
    "releases/tapes.html": ("Not known here", ["does not prove a forgery", "+44 20 7946 0312"]),
}


@pytest.fixture(scope="module")
def told(base: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    steps = "const page = await opened(); for (const key of more) say([key, await file(page, base + key)]);"
    return dict(browse(tmp_path_factory.mktemp("told"), LOOK + steps, base, *ANSWERS))


@pytest.mark.parametrize("key", ANSWERS)
def test_file_has_its_answer(key: str, told: dict[str, list[Any]], newsroom: SignedNewsroom) -> None:
    (heading, words), (shown, whole, faults) = ANSWERS[key], told[key]
    assert shown == heading
    for word in (*words, key.rpartition("/")[2]):
        assert word in whole
    assert faults == []
    is_known = heading != "Not known here"
    assert (f"Signed by {NAME}, 1 March 2026" in whole) == is_known
    assert (signed.fingerprint(newsroom.key) in whole) == is_known


def test_answer_links_to_the_release_and_is_read_aloud(look: Any) -> None:
    (link, status, role), fingerprints = look("""
    const page = await opened();
    await file(page, base + "kept/current.pdf");
    const link = await page.getAttribute(".answer .release a", "href");
    say([link, await page.textContent(".found"), await page.getAttribute(".found", "role")]);
    say(await page.locator("#KEYS code").allTextContents());
    """)
    assert link == "releases/tapes.html"
    assert status == "Genuine and current: current.pdf"
    assert role == "status"
    assert fingerprints == [signed.fingerprint(new_key())]


def test_several_files_are_dropped_at_once(look: Any) -> None:
    (shown,) = look("""
    const page = await opened();
    await answer(page, () => page.evaluate(async () => {
      const data = new DataTransfer();
      for (const name of ["withdrawn.pdf", "current.pdf"])
        data.items.add(new File([await (await fetch(`kept/${name}`)).arrayBuffer()], name));
      const drop = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data });
      document.querySelector(".drop").dispatchEvent(drop);
    }));
    await page.waitForFunction(() => document.querySelectorAll(".answer").length === 2);
    say(await page.locator(".answer .checked, .answer h2").allInnerTexts());
    """)
    assert shown == ["current.pdf", "Genuine and current", "withdrawn.pdf", "Genuine once, withdrawn"]


def test_nothing_is_sent_and_one_lookup_loads_less_than_50_kb(look: Any) -> None:
    requests, size = look("""
    const page = await opened();
    const [asked, sizes] = [[], []];
    page.on("request", (request) =>
      asked.push([request.method(), request.url().startsWith(base), request.postData(), request.url().includes("?")]));
    page.on("response", async (response) => sizes.push((await response.body()).length));
    await file(page, base + "kept/corrected.pdf");
    say([...new Set(asked.map(String))]);
    say(sizes.reduce((sum, each) => sum + each, 0));
    """)
    assert requests == ["GET,true,,false"]
    assert 0 < size < LONGEST


def test_keyboard_alone_is_enough(look: Any) -> None:
    focused, shown = look(
        """
    const page = await opened();
    const tabTo = async (wanted) => {
      const isThere = () => page.evaluate((one) => document.activeElement.matches(one), wanted);
      for (let at = 0; at < 30 && !(await isThere()); at++) await page.keyboard.press("Tab");
      return page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    };
    say([await tabTo("#FILE"), await tabTo("#WORDS")]);
    await page.keyboard.insertText(more[0]);
    await tabTo("button");
    say(await answer(page, () => page.keyboard.press("Enter")));
    """,
        "\n\n".join([TITLE, FIRST, SECOND, THIRD, "ENDS"]),
    )
    assert focused == ["solid", "solid"]
    assert shown[0] == "Genuine and current"


def test_without_javascript_there_are_commands(look: Any) -> None:
    (seen,) = look("""
    const page = await opened({ javaScriptEnabled: false });
    const commands = [await page.isVisible("#TERMINAL pre"), await page.isVisible("#KEYS code")];
    say([await page.isVisible(".check"), await page.textContent("noscript"), ...commands]);
    """)
    assert seen[0] is False
    assert "needs JavaScript" in seen[1]
    assert seen[2:] == [True, True]


@pytest.mark.parametrize(
    "stub",
    [
        'SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException("Ed25519", "NotSupportedError"))',
        "SubtleCrypto.prototype.verify = async () => false",
        'Object.defineProperty(crypto, "subtle", { value: undefined })',
    ],
)
def test_browser_without_these_signatures_is_told_so(look: Any, stub: str) -> None:
    (seen,) = look(f"""
    const page = await opened({{}}, base, () => {{ {stub}; }});
    await page.waitForSelector(".answer");
    say([await page.innerText(".answer h2"), await page.isVisible(".check"), page.faults]);
    """)
    assert seen == ["Cannot be checked in this browser", False, []]


@pytest.mark.parametrize("year", [1999, 2099])
def test_clock_of_the_browser_does_not_matter(look: Any, year: int) -> None:
    (seen,) = look(f"""
    const page = await opened();
    await page.clock.setFixedTime(new Date("{year}-06-01T12:00:00Z"));
    say(await file(page, base + "kept/current.pdf"));
    """)
    assert seen[0] == "Genuine and current"


def test_statement_and_signature_that_do_not_fit_for_a_moment_are_read_again(look: Any) -> None:
    (seen, asked) = look("""
    const page = await opened();
    let asked = 0;
    await page.route("**/tapes.statement.sig", async (route) => {
      asked += 1;
      if (asked > 2) return route.continue();
      await route.fulfill({ body: await (await fetch(base + "releases/visitors.statement.sig")).text() });
    });
    say(await file(page, base + "kept/current.pdf"));
    say(asked);
    """)
    assert seen[0] == "Genuine and current"
    assert asked == 3


def test_file_that_the_browser_cannot_read_is_told(look: Any) -> None:
    (large,) = look("""
    const page = await opened({}, base, () => Object.defineProperty(File.prototype, "size", { value: 3e9 }));
    say(await file(page, base + "kept/current.pdf"));
    """)
    assert "too large" in large[0]


def test_commands_of_the_page_work_in_a_terminal(base: str, newsroom: SignedNewsroom, tmp_path: Path) -> None:
    if not all(map(shutil.which, ("ssh-keygen", "curl", "sha256sum"))):
        pytest.skip("no ssh-keygen, curl or sha256sum")
    page = (newsroom.folder / "verify.html").read_text("utf-8")
    found = re.search(r"<pre[^>]*><code>(.*?)</code>", page, re.DOTALL)
    assert found
    script = found[1].replace("&lt;", "<").replace("&#34;", '"').replace(f"AT={BASE}", f"AT={base}")
    file = newsroom.folder / "kept/current.pdf"
    script = script.replace("SLUG=…", "SLUG=tapes").replace("FILE=…", f"FILE={file}")
    done = subprocess.run(["bash", "-ec", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert 'Good "press-release" signature for press@example.org' in done.stdout
    assert done.stdout.splitlines()[-1].endswith("  releases/tapes.pdf")


# ── What is not right ───────────────────────────────────────────────────────────────────────────────────────────────

RIGHT, NOTHING, WRONG = "Genuine and current", "Not known here", "Cannot be confirmed"
FAILED = "tapes.pdf: The files of the newsroom could not be read. Please try again."
STATEMENT, SIGNATURE = "releases/tapes.statement", "releases/tapes.statement.sig"


def edited(office: SignedNewsroom, key: str, old: str, new: str) -> None:
    text = (office.folder / key).read_text("utf-8")
    assert old in text
    office.put(key, text.replace(old, new))


def signed_by(seed: int, **how: Any) -> Callable[[SignedNewsroom], None]:
    return lambda office: office.put(
        SIGNATURE, signed.sign((office.folder / STATEMENT).read_bytes(), new_key(seed), **how)
    )


def signers(*lines: str) -> Callable[[SignedNewsroom], None]:
    return lambda office: office.put(SIGNERS, "".join(lines))


def valid(options: str, seed: int = 1) -> str:
    return signed.line(new_key(seed), options=options)


def forged(office: SignedNewsroom) -> None:
    """Whoever may write to the storage, but has no key: another file, stated and looked up."""
    data = (office.folder / "releases/tapes.pdf").read_bytes().replace(b"1,200", b"1,201")
    old, new = (digest(each) for each in ((office.folder / "releases/tapes.pdf").read_bytes(), data))
    office.put("file/tapes.pdf", data)
    edited(office, STATEMENT, old, new)
    beginning = digest((office.folder / STATEMENT).read_bytes())[:16]
    office.put(f"verify/4/{int(new[0], 16)}.json", json.dumps([["tapes", 2026, beginning, new[:ENTRY]]]))


def to_other(office: SignedNewsroom) -> None:
    beginning = digest((office.folder / "releases/other.statement").read_bytes())[:16]
    shards(lambda rows: [["other", row[1], beginning, row[3]] for row in rows])(office)


def leads_to(slug: str, statement: str) -> Callable[[SignedNewsroom], None]:
    """Let the shard of the file that is checked lead to the statement at the key ``statement`` of ``slug`` alone."""

    def tamper(office: SignedNewsroom) -> None:
        sha256 = digest((office.folder / "file/tapes.pdf").read_bytes())
        beginning = digest((office.folder / statement).read_bytes())[:16]
        office.put(f"verify/4/{int(sha256[0], 16)}.json", json.dumps([[slug, 2026, beginning, sha256[:ENTRY]]]))

    return tamper


def of_other_as_earlier(office: SignedNewsroom) -> None:
    """Pass off a file of another release as one of an earlier revision."""
    copied("releases/other.pdf", "file/tapes.pdf")(office)
    leads_to("tapes", "releases/other.statement")(office)
    key = f"{FOLDER}2026/tapes.{digest((office.folder / 'releases/other.statement').read_bytes())[:16]}.statement"
    copied("releases/other.statement", key)(office)
    copied("releases/other.statement.sig", f"{key}.sig")(office)


def put_back(office: SignedNewsroom) -> None:
    """Put the first statement back as the newest, and check a file of the second."""
    copied("releases/tapes.pdf", "file/tapes.pdf")(office)
    newest = (office.folder / STATEMENT).read_bytes()
    (first,) = (file for file in office.folder.glob(f"{FOLDER}*/tapes.*.statement") if file.read_bytes() != newest)
    office.put(STATEMENT, first.read_bytes())
    office.put(SIGNATURE, Path(f"{first}.sig").read_bytes())


def not_stated_earlier(office: SignedNewsroom) -> None:
    other_file(office)
    newest = (office.folder / STATEMENT).read_bytes()
    (first,) = (file for file in office.folder.glob(f"{FOLDER}*/tapes.*.statement") if file.read_bytes() != newest)
    leads_to("tapes", str(first.relative_to(office.folder)))(office)


def other_file(office: SignedNewsroom) -> None:
    edited(office, "file/tapes.pdf", "1,200", "1,201")


def shards(change: Callable[[list[Any]], list[Any]]) -> Callable[[SignedNewsroom], None]:
    def tamper(office: SignedNewsroom) -> None:
        for file in (office.folder / "verify/4").iterdir():
            file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return tamper


def everywhere(keys: str, text: str) -> Callable[[SignedNewsroom], None]:
    def tamper(office: SignedNewsroom) -> None:
        for file in office.folder.glob(keys):
            file.write_text(text, "utf-8")

    return tamper


def in_turn(*steps: Callable[[SignedNewsroom], None]) -> Callable[[SignedNewsroom], None]:
    def tamper(office: SignedNewsroom) -> None:
        for step in steps:
            step(office)

    return tamper


def removed(*keys: str) -> Callable[[SignedNewsroom], None]:
    def tamper(office: SignedNewsroom) -> None:
        for key in keys:
            for file in office.folder.glob(key):
                file.unlink()

    return tamper


def copied(key: str, to: str) -> Callable[[SignedNewsroom], None]:
    return lambda office: office.put(to, (office.folder / key).read_bytes())


TAMPERED: dict[str, tuple[str, Callable[[SignedNewsroom], None]]] = {
    "nothing": (RIGHT, lambda office: None),
    "the file": (NOTHING, other_file),
    "a file, its statement and its shard": (WRONG, forged),
    "the title in the statement": (WRONG, lambda office: edited(office, STATEMENT, TITLE, "Another headline")),
    "the status in the statement": (WRONG, lambda office: edited(office, STATEMENT, "usable", "canceled")),
    "another line in the statement": (
        WRONG, lambda office: edited(office, STATEMENT, "status", f"{64 * '0'}  x\nstatus")),
    "the signature": (WRONG, lambda office: edited(office, SIGNATURE, "AAAA", "AAAB")),
    "a signature cut short": (WRONG, lambda office: edited(office, SIGNATURE, "-----END SSH SIGNATURE-----", "")),
    "no signature": (WRONG, removed(SIGNATURE)),
    "no statement": (WRONG, removed(STATEMENT)),
    "the signature of another statement": (WRONG, copied("releases/other.statement.sig", SIGNATURE)),
    "statement and signature of another release": (
        WRONG,
        in_turn(copied("releases/other.statement", STATEMENT), copied("releases/other.statement.sig", SIGNATURE)),
    ),
    "statement and signature at the place of another release": (
        WRONG,
        in_turn(
            copied(STATEMENT, "releases/other.statement"),
            copied(SIGNATURE, "releases/other.statement.sig"),
            leads_to("other", STATEMENT),
        ),
    ),
    "another namespace": (WRONG, signed_by(1, namespace="file")),
    "a key that nobody lists": (WRONG, signed_by(2)),
    "SHA-256 in the signature": (RIGHT, signed_by(1, algorithm="sha256")),
    "other signers": (WRONG, signers(signed.line(new_key(2)))),
    "no signers": (WRONG, removed(SIGNERS)),
    "signers without a newline, with comments": (RIGHT, signers("# a comment\r\n\n", "nonsense\n", valid("")[:-1])),
    "a key for other files": (WRONG, signers(valid('namespaces="file,git"'))),
    "a key for releases too": (RIGHT, signers(valid('namespaces="git,press-release",valid-after="20250101"'))),
    "a key that had expired": (WRONG, signers(valid('valid-before="20260301"'))),
    "a key that expired later": (RIGHT, signers(valid('valid-before="20260302Z"'))),
    "a key that became valid later": (WRONG, signers(valid('valid-after="20260302"'))),
    "a key that became valid on the day": (RIGHT, signers(valid('valid-after="202603011800Z"'))),
    "a key with a date that is none": (WRONG, signers(valid('valid-after="soon"'))),
    "a key with an option that is not known": (WRONG, signers(valid("cert-authority"))),
    "an old line and a new one of one key": (
        RIGHT,
        signers(valid('valid-before="20250101"'), valid('valid-after="20250101"')),
    ),
    "a rotation since": (RIGHT, signers(valid('valid-before="20270101"'), valid('valid-after="20270101"', 2))),
    "a FIDO key": (
        RIGHT,
        in_turn(signed_by(3, security_key=True), signers(signed.line(new_key(3), security_key=True))),
    ),
    "a FIDO key without its device": (
        WRONG,
        in_turn(signed_by(3), signers(signed.line(new_key(3), security_key=True))),
    ),
    "a second signer, whom alone the list has": (
        RIGHT,
        in_turn(copied(SIGNATURE, "releases/tapes.statement.2.sig"), signed_by(2)),
    ),
    "shards without anything": (NOTHING, shards(lambda rows: [])),
    "shards that lead to another release": (NOTHING, to_other),
    "shards that lead to a statement that there is not": (
        WRONG,
        shards(lambda rows: [["other", *row[1:]] for row in rows]),
    ),
    "shards that lead out of the newsroom": (NOTHING, shards(lambda rows: [["../tapes", *row[1:]] for row in rows])),
    "shards with another beginning of the statement": (
        RIGHT,
        shards(lambda rows: [[row[0], row[1], "0" * 16, row[3]] for row in rows]),
    ),
    "shards with nonsense": (NOTHING, shards(lambda rows: [1, None, [], *([5, 6, 7, 8] for _ in rows)])),
    "no shards": (FAILED, removed("verify/4/*")),
    "a shard that is no list": (FAILED, everywhere("verify/4/*", "{}")),
    "an index that is none": (FAILED, lambda office: office.put("verify/index.json", "<html>")),
    "an index with a strange number": (FAILED, lambda office: office.put("verify/index.json", '{"bits": 40}')),
}  # fmt: skip
OF_EARLIER: dict[str, tuple[str, Callable[[SignedNewsroom], None]]] = {
    "nothing": ("Genuine, corrected since", lambda office: None),
    "no earlier statements": (WRONG, removed(f"{FOLDER}*/*")),
    "no signatures of earlier statements": (WRONG, removed(f"{FOLDER}*/*.sig")),
    "signature of the newest statement": (WRONG, copied("releases/other.statement.sig", SIGNATURE)),
    "an earlier statement of another release": (WRONG, of_other_as_earlier),
    "the first statement put back as the newest": (WRONG, put_back),
    "a shard that leads to an earlier statement without the file": (NOTHING, not_stated_earlier),
    "the newest at the place of an earlier one": (
        WRONG,
        lambda office: everywhere(f"{FOLDER}*/tapes.*.statement", (office.folder / STATEMENT).read_text())(office),
    ),
}
"""Tampered with after a correction; checked is a file of the first revision."""
CASES = {
    **{f"current, {name}": case for name, case in TAMPERED.items()},
    **{f"earlier, {name}": case for name, case in OF_EARLIER.items()},
}


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What the page says of ``tapes.pdf`` in a newsroom of its own for each case."""
    root = tmp_path_factory.mktemp("tampered")
    for number, (name, (_, tamper)) in enumerate(CASES.items()):
        office = SignedNewsroom(root / str(number))
        office.publish("tapes", TITLE, FIRST)
        office.publish("other", "Another release", SECOND)
        office.put("file/tapes.pdf", (office.folder / "releases/tapes.pdf").read_bytes())
        if name.startswith("earlier"):
            office.publish("tapes", TITLE, SECOND)
        office.write()
        tamper(office)
    with served(root) as address:
        steps = f"""
        const page = await opened({{}}, base + "0/");
        for (let number = 0; number < {len(CASES)}; number += 1) {{
          page.faults = [];
          await page.goto(`${{base}}${{number}}/verify.html`);
          say(await file(page, `${{base}}${{number}}/file/tapes.pdf`));
        }}
        """
        return dict(zip(CASES, browse(tmp_path_factory.mktemp("steps"), LOOK + steps, address), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_page_believes_only_what_is_signed(name: str, tampered: dict[str, list[Any]]) -> None:
    heading, whole, faults = tampered[name]
    assert heading == CASES[name][0]
    assert faults == []
    if heading == WRONG:
        assert "Do not rely on this" in whole
        assert "+44 20 7946 0312" in whole
        assert "Signed by" not in whole


def test_signature_of_ssh_keygen_is_right_and_it_takes_ours(tmp_path: Path) -> None:
    if not shutil.which("ssh-keygen"):
        pytest.skip("no ssh-keygen")
    office = SignedNewsroom(tmp_path / "public")
    office.publish("tapes", TITLE, FIRST)
    office.write()

    def run(*arguments: str, given: bytes = b"") -> str:
        done = subprocess.run(["ssh-keygen", *arguments], cwd=tmp_path, input=given, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    statement = (office.folder / STATEMENT).read_bytes()
    (office.folder / SIGNATURE).unlink()
    run("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", "key")
    run("-Y", "sign", "-q", "-f", "key", "-n", "press-release", str(office.folder / STATEMENT))
    theirs = (tmp_path / "key.pub").read_text()
    (tmp_path / "allowed").write_text(office.signers)
    (tmp_path / "ours.sig").write_text(signed.sign(statement, office.key))
    said = run("-Y", "verify", "-f", "allowed", "-I", NAME, "-n", "press-release", "-s", "ours.sig", given=statement)
    assert signed.fingerprint(office.key) in said
    office.put(SIGNERS, f"other@example.org {theirs}")
    with served(office.folder) as address:
        (seen,) = browse(tmp_path, LOOK + 'say(await file(await opened(), base + "releases/tapes.pdf"));', address)
    assert seen[0] == RIGHT
    assert run("-l", "-f", "key.pub").split()[1] in seen[1]


# ── Pasted text ─────────────────────────────────────────────────────────────────────────────────────────────────────

BEFORE = "OPEN WINDOW ARCHIVE\nPress release\n1 March 2026\n\nFOR IMMEDIATE RELEASE\n\n"
WHOLE = "\n\n".join([TITLE, FIRST, SECOND, THIRD, "ENDS"])
LONG = "A headline that is so long\nthat it takes two lines on paper\nROME – Short text.\nENDS"
PASTED: dict[str, tuple[str, str, list[str], list[str]]] = {
    "the words": (WHOLE, RIGHT, [], []),
    "with what is around them": (f"{BEFORE}{WHOLE}\n\nNOTES\n\nA note.", RIGHT, [], []),
    "with other blanks": (f"  {BEFORE}{WHOLE}".replace("catalogue of 1", "catalogue\u00a0\n of 1"), RIGHT, [], []),
    "without the end mark": (WHOLE.removesuffix("\n\nENDS"), RIGHT, [], []),
    "with the end mark as the page shows it": (WHOLE.replace("ENDS", "Ends"), RIGHT, [], []),
    "without the addresses of links": (WHOLE.replace(" (archive.example.org/tapes)", ""), RIGHT, [], []),
    "a headline of two lines": (LONG, RIGHT, [], []),
    "a paragraph alone": (SECOND, RIGHT, [], []),
    "another word": (WHOLE.replace("opens a", "closes a"), "The words differ", ["closes"], ["opens"]),
    "another number": (WHOLE.replace("1,200", "12,000"), "The words differ", ["12,000"], ["1,200"]),
    "a word more": (WHOLE.replace("is free", "is not free"), "The words differ", ["not"], []),
    "a word less": (WHOLE.replace("have not been", "have been"), "The words differ", [], ["not"]),
    "another address": (
        WHOLE.replace("archive.example.org", "archive.example.com"),
        "The words differ",
        ["December (archive.example.com/tapes)."],
        ["December."],
    ),
    "another headline": (
        WHOLE.replace(TITLE, "Archive shuts"),
        "The words differ",
        ["shuts"],
        ["opens its catalogue of tapes"],
    ),
    "capitals": (WHOLE.replace("Ruth Okafor", "ruth okafor"), "The words differ", ["ruth okafor,"], ["Ruth Okafor,"]),
    "an earlier revision": (
        "Visitors doubled\n\nLONDON – 20,000 people came to see the tapes last year.\n\nENDS",
        "Genuine, corrected since",
        [],
        [],
    ),
    "of a withdrawn release": (
        "Archive merges with library\n\nLONDON – The two merge.\n\nENDS",
        "Genuine once, withdrawn",
        [],
        [],
    ),
    "with the headline of a withdrawn release": ("Archive merges with library\n\nOther words.", NOTHING, [], []),
    "of nobody": ("Some words that nobody here has ever written in any of these texts at all.", NOTHING, [], []),
    "Arabic": (f"الأرشيف يفتح فهرس الأشرطة\n\n{ARABIC}\n\nانتهى", RIGHT, [], []),
    "another Arabic word": (
        f"الأرشيف يفتح فهرس الأشرطة\n\n{ARABIC.replace('اليوم', 'غدًا')}\n\nانتهى",
        "The words differ",
        ["غدًا"],
        ["اليوم"],
    ),
    "another Hindi word": (
        f"अभिलेखागार ने टेपों की सूची खोली\n\n{HINDI.replace('आज', 'कल')}\n\nसमाप्त",
        "The words differ",
        ["कल"],
        ["आज"],
    ),
    "Japanese, with lines that were wrapped": (
        f"アーカイブがテープ\nの目録を公開\n\n{JAPANESE[:12]}\n{JAPANESE[12:]}\n\n以上",
        RIGHT,
        [],
        [],
    ),
    "another Japanese sign": (
        f"アーカイブがテープの目録を公開\n\n{JAPANESE.replace('千二百', '千三百')}\n\n以上",
        "The words differ",
        ["三"],
        ["二"],
    ),
    "Japanese with another headline": (
        f"別の見出し\n\n{JAPANESE.replace('千二百', '千三百')}",
        "The words differ",
        ["三"],
        ["二"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def pasted(base: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    folder = tmp_path_factory.mktemp("pasted")
    (folder / "texts.json").write_text(json.dumps({name: case[0] for name, case in PASTED.items()}))
    steps = """
    const { readFileSync } = await import("node:fs");
    const page = await opened();
    for (const [name, words] of Object.entries(JSON.parse(readFileSync(more[0], "utf8")))) {
      page.faults = [];
      await page.goto(base + "verify.html");
      const said = await text(page, words);
      const marked = (kind) => page.$$eval(`p.differences ${kind}`, (found) =>
        found.map((each) => [...each.childNodes].at(-1).textContent));
      const spoken = await page.$$eval(".differences .unseen", (found) => found.map((each) => each.textContent.trim()));
      say([name, [...said, await marked("ins"), await marked("del"), spoken]]);
    }
    """
    return dict(browse(folder, LOOK + steps, base, str(folder / "texts.json")))


@pytest.mark.parametrize("name", PASTED)
def test_pasted_words_have_their_answer_and_what_differs_is_marked(name: str, pasted: dict[str, list[Any]]) -> None:
    _, heading, inserted, deleted = PASTED[name]
    shown, whole, faults, added, left_out, spoken = pasted[name]
    assert shown == heading, whole
    assert faults == []
    if "headline" in name and heading == "The words differ":
        assert set(inserted) <= set(added)
        assert set(deleted) <= set(left_out)
    else:
        assert (added, left_out) == (inserted, deleted)
    assert len(spoken) == len(added) + len(left_out)
    assert set(spoken) <= {"(only in your text:)", "(only in the release:)"}


def test_text_is_compared_only_with_a_plain_copy_that_the_statement_states(tmp_path: Path) -> None:
    office = SignedNewsroom(tmp_path / "public")
    office.publish("tapes", TITLE, FIRST, SECOND)
    office.write()
    edited(office, "releases/tapes.txt", "1,200", "1,201")
    steps = "say(await text(await opened(), more[0]));"
    with served(office.folder) as address:
        (seen,) = browse(tmp_path, LOOK + steps, address, f"{TITLE}\n\n{FIRST.replace('1,200', '1,201')}\n\n{SECOND}")
    assert seen[0] == WRONG


def test_answers_to_texts_say_what_they_do_not_prove(pasted: dict[str, list[Any]]) -> None:
    assert "only a part of the release" in pasted["a paragraph alone"][1]
    assert "The words are the same" in pasted["without the addresses of links"][1]
    assert "Withdrawn, 1 March 2026" in pasted["with the headline of a withdrawn release"][1]
    assert TITLE in pasted["another headline"][1]
    assert "+44 20 7946 0312" in pasted["another word"][1]


# ── Access ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["nu", "axe"])
def test_validators_find_no_fault(name: str, newsroom: SignedNewsroom, tmp_path: Path) -> None:
    for key in ("verify.html", "index.html"):
        shutil.copy(newsroom.folder / key, tmp_path / key)
    shutil.copytree(newsroom.folder / "assets", tmp_path / "assets")
    try:
        result = validate(name, [tmp_path])
    except MissingValidatorError as error:
        if os.environ.get("DATELINE_VALIDATORS") == "required":
            raise
        pytest.skip(f"{name}: {error}; make validate installs it")
    assert result.faults == []
    assert result.files == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_answer_is_accessible_and_fits_a_phone(look: Any, scheme: str) -> None:
    library = VALIDATORS / "axe-core" / "axe.min.js"
    found = look(
        f"""
    const {{ readFileSync }} = await import("node:fs");
    for (const width of [320, 1280]) {{
      const page = await opened({{ viewport: {{ width, height: 900 }}, colorScheme: "{scheme}", bypassCSP: true }});
      for (const key of {json.dumps(list(ANSWERS))}) await file(page, base + key);
      await text(page, more[1]);
      await page.evaluate(readFileSync(more[0], "utf8"));
      const {{ violations }} = await page.evaluate(() => axe.run());
      const small = await page.$$eval(".check :is(input, button), .release a", (all) =>
        all.filter((each) => each.getBoundingClientRect().height < 24).length);
      const wider = await page.evaluate(() =>
        document.documentElement.scrollWidth - document.documentElement.clientWidth);
      const faults = violations.map((each) => each.id + each.nodes.map((node) => node.target));
      say([await page.locator(".answer").count(), faults, small, wider]);
    }}
    """,
        str(library),
        WHOLE.replace("opens a", "closes a"),
    )
    assert found == [[len(ANSWERS) + 1, [], 0, 0]] * 2
