"""The build state: what lies in ``output/``, and what is known of it.

output/public/          what is uploaded, as it will stand in the bucket
output/waiting/         drafts and scheduled releases (0700)
output/waiting/final/   scheduled releases in their final form, laid out like the public tree
output/.work/           state.sqlite, pictures, and what make goes by: stamps of the stages, a few marker files (0700)
output/.work/preview/   public releases as they were edited without a correction; only the preview shows them

``state.sqlite`` holds everything that is remembered between two runs. It may be deleted at any time: then everything is
rendered or fetched again. A run that is killed leaves it consistent, because every write is a transaction.
"""

from __future__ import annotations

import contextlib
import copy
import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import IO, Any, TypeVar

import msgspec
from msgspec import Struct

from pipeline.model.errors import SettingError, hint_for
from pipeline.model.footage import FOOTAGE, SUFFIXES, Film, Footage, FootageFile, expiries
from pipeline.model.formats import Rendition
from pipeline.model.newsroom import FILE
from pipeline.model.release import Release
from pipeline.model.release_index import IndexEntry

BESIDE = (".png", ".jpg", ".jpeg", ".gif", ".webp", *SUFFIXES)
"""Suffixes of the files beside a source that it may be about: pictures and footage."""
FINAL = "final"
HELD_BACK, UNUSABLE = "held_back", "unusable_films"
PREVIEW, PUBLISHING = "preview", "publishing"
BETWEEN_STEPS = 5.0
"""Seconds after which ``make publish`` has ended or was killed, when none of its processes runs."""
BUSY_SECONDS = 60
"""How long to wait for another process that writes: ``make -j`` runs several stages at once."""
VERSION = 6
"""Of the tables; a file of another version is replaced."""
BULK = 500
"""Values in one question to the database."""
_SCHEMA = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE IF NOT EXISTS releases (
    slug TEXT PRIMARY KEY, source TEXT NOT NULL, date INTEGER NOT NULL, draft INTEGER NOT NULL,
    checked INTEGER NOT NULL, entry BLOB NOT NULL, summary BLOB NOT NULL, until INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS releases_by_date ON releases (draft, date);
CREATE INDEX IF NOT EXISTS releases_unchecked ON releases (slug) WHERE NOT checked;
CREATE INDEX IF NOT EXISTS releases_until ON releases (until) WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS texts (slug TEXT PRIMARY KEY, release BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sources (slug TEXT PRIMARY KEY, stat TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS published (
    slug TEXT PRIMARY KEY, year TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL, expected TEXT,
    withdrawn INTEGER NOT NULL, deletes INTEGER NOT NULL, replacing INTEGER NOT NULL, outdated INTEGER NOT NULL,
    until INTEGER, entry BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS published_by_year ON published (year);
CREATE INDEX IF NOT EXISTS published_withdrawn ON published (slug) WHERE withdrawn;
CREATE INDEX IF NOT EXISTS published_deletes ON published (slug) WHERE deletes;
CREATE INDEX IF NOT EXISTS published_until ON published (until) WHERE until IS NOT NULL;
CREATE INDEX IF NOT EXISTS published_unexpected ON published (slug) WHERE expected IS NULL;
CREATE TABLE IF NOT EXISTS rows (slug TEXT PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
    slug TEXT PRIMARY KEY, origin TEXT NOT NULL, language TEXT NOT NULL, feed TEXT NOT NULL, date INTEGER NOT NULL,
    draft INTEGER NOT NULL, withdrawn INTEGER NOT NULL, changed INTEGER NOT NULL, translation_of TEXT NOT NULL,
    replaced_by TEXT NOT NULL, moved INTEGER NOT NULL, gone INTEGER NOT NULL, entry BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_in_order ON entries (feed, date, slug) WHERE NOT draft AND NOT withdrawn;
CREATE INDEX IF NOT EXISTS entries_by_date ON entries (date);
CREATE INDEX IF NOT EXISTS entries_by_origin ON entries (origin);
CREATE INDEX IF NOT EXISTS entries_changed ON entries (slug) WHERE changed;
CREATE INDEX IF NOT EXISTS entries_moved ON entries (slug) WHERE moved;
CREATE INDEX IF NOT EXISTS entries_by_replacement ON entries (replaced_by) WHERE replaced_by != '';
CREATE TABLE IF NOT EXISTS on_topics (
    shelf TEXT, at INTEGER, slug TEXT, PRIMARY KEY (shelf, at, slug)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS on_topics_by_slug ON on_topics (slug);
CREATE TABLE IF NOT EXISTS renditions (
    tree TEXT, format TEXT, slug TEXT, file BLOB NOT NULL, PRIMARY KEY (tree, format, slug)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS films (source TEXT PRIMARY KEY, film BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS touched (slug TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS {0}_{1} AFTER {1} {3} ON {0} BEGIN INSERT OR IGNORE INTO touched VALUES ({2}.slug); END;
"""
"""The database notes what ``stored_index`` has to look at: a table, an event, its row, and columns."""
_TRIGGERS = "".join(
    _TRIGGER.format(table, event, row, f"OF {columns}" if event == "UPDATE" else "")
    for table, columns in (("published", "entry"), ("releases", "checked, entry"), ("sources", "slug"))
    for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old"))
)

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Summary(Struct, frozen=True):
    """What the stages ask of every release, so that they need not decode all texts."""

    entry: IndexEntry
    source: str
    """Digest of the source and of the pictures beside it."""
    reader: str
    """Digest of the code and the settings that read it."""
    embargo: bool
    links_home: bool
    """The text links to other releases, so that formats other than the page state the newsroom's address."""
    pictures: tuple[Rendition, ...] = ()
    """Its pictures and their copies, as files of the public tree."""
    shots: bool = False
    """Its footage has a shot list."""
    footage: tuple[Footage, ...] = ()
    """Its footage notices that have files: these, and when they expire."""

    @property
    def footage_files(self) -> tuple[FootageFile, ...]:
        """The files of these notices, each name once."""
        return tuple({each.file: each for notice in self.footage for each in notice.files}.values())

    def has_films(self, films: Mapping[str, Film]) -> bool:
        """Whether its files in the private bucket are those that are known, as far as they are."""
        stored = (each for each in self.footage_files if each.is_stored)
        return all((film := films.get(each.source)) is None or film.sha256 == each.sha256 for each in stored)


def footage_rendition(slug: str, file: FootageFile) -> Rendition:
    """Return a file of footage as one of the public tree."""
    return Rendition(FOOTAGE, f"releases/{slug}/{file.file}", file.size, file.sha256)


def footage_of(release: Release) -> tuple[Footage, ...]:
    """Return the footage notices that have files: these alone, and when they expire.

    A poster that is a picture of the release too is left out: it is published as that, and stays.
    """
    pictures = {*release.picture_files}
    found = (
        Footage("", files=tuple(file for file in each.files if file.file not in pictures), expires=each.expires)
        for each in release.footage
    )
    return tuple(each for each in found if each.files)


class ParsedRelease(Struct, frozen=True):
    """A release as the reader returned it."""

    release: Release
    source: str
    """Digest of the source and of the pictures beside it."""


class RenderedFile(Struct, frozen=True):
    """A rendition in ``output/``, and what it was rendered from."""

    fingerprint: str
    rendition: Rendition
    unpublished: bool
    """It lies in ``output/waiting/``, because the release is a draft or scheduled."""
    source: str = ""
    """Digest of the source and of the pictures beside it."""
    warning: str = ""
    """What was found when it was compared with its release, and does not keep it from being published."""


class Pictures(Mapping[str, bytes]):
    """The pictures of a release by file name; each is read when it is asked for, because most formats need few."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder = folder
        self.names = names

    def __getitem__(self, name: str) -> bytes:
        if name not in self.names:
            raise KeyError(name)
        return (self.folder / name).read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple[type[dict[str, bytes]], tuple[dict[str, bytes]]]:
        """Pickle the pictures themselves: another machine has no such folder."""
        return dict, (dict(self),)


class Films(MutableMapping[str, Film]):
    """What is known of the films of footage notices, by ``FootageFile.source``; kept from run to run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getitem__(self, source: str) -> Film:
        found = _decoded(self._database.rows("SELECT source, film FROM films WHERE source = ?", source), Film)
        return found[source]

    def __setitem__(self, source: str, film: Film) -> None:
        self._database.write("INSERT OR REPLACE INTO films VALUES (?, ?)", source, msgspec.msgpack.encode(film))

    def __delitem__(self, source: str) -> None:
        self._database.write("DELETE FROM films WHERE source = ?", source)

    def __iter__(self) -> Iterator[str]:
        return (source for (source,) in self._database.rows("SELECT source FROM films ORDER BY source"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class BuildState:
    """The folders of one newsroom and its ``state.sqlite``. Files are written by rename: whole, or not there."""

    def __init__(self, content: Path, output: Path) -> None:
        self.content = content
        self.public = output / "public"
        self.waiting = output / "waiting"
        self.work = output / ".work"
        self.is_final = False
        """Whether this is the state of ``final()``."""
        self.database = Database(self.work / "state.sqlite")
        self.films = Films(self.database)

    def final(self) -> BuildState:
        """Return the state of scheduled releases in their final form: a tree and renditions of their own."""
        state = copy.copy(self)
        state.is_final = True
        state.public = self.waiting / FINAL
        state.waiting = self.waiting / FINAL / "waiting"  # stays empty: in its final form a release is public
        return state

    def edited(self) -> EditedState:
        """Return the state of what must not go into ``output/public/`` (yet): public releases that were edited without
        a correction, and what is edited while ``make publish`` runs. It has folders and a database of its own.
        """
        return EditedState(self)

    @property
    def version(self) -> int:
        """A number that differs after another process has written to ``state.sqlite``."""
        row = self.database.row("PRAGMA data_version")
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close ``state.sqlite``, so that the process may be forked; the next use opens it again."""
        self.database.close()

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Note for ``unless_publishing`` that a step of ``make publish`` runs, while this lasts."""
        with self._locked(PUBLISHING, fcntl.LOCK_SH):
            yield
            with contextlib.suppress(OSError):
                os.utime(self.work / PUBLISHING)

    @contextlib.contextmanager
    def unless_publishing(self) -> Iterator[bool]:
        """Keep ``make publish`` from beginning or going on while this lasts; False when it runs already.

        What it publishes must be what it fetched and planned, so nobody else may read or render in between.
        """
        with self._locked(PUBLISHING, fcntl.LOCK_EX | fcntl.LOCK_NB) as marker:
            yield marker is not None and time.time() - (self.work / PUBLISHING).stat().st_mtime > BETWEEN_STEPS

    @contextlib.contextmanager
    def _locked(self, name: str, operation: int) -> Iterator[IO[bytes] | None]:
        """Hold a lock between processes; None when another one holds it."""
        marker = self.work / name
        if not marker.exists():
            marker.touch()
            os.utime(marker, (0, 0))
        with marker.open("rb") as file:
            try:
                fcntl.flock(file, operation)
            except BlockingIOError:
                yield None
                return
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                    raise
                # Some network drives have no locks: there, nobody is kept waiting.
            yield file

    def prepare(self) -> None:
        """Make the folders, closed to other users where they hold unpublished releases. Raises SettingError."""
        try:
            self.public.mkdir(parents=True, exist_ok=True)
            for folder in (self.waiting, self.work):
                folder.mkdir(mode=0o700, exist_ok=True)
                if folder.stat().st_mode & 0o077:  # a needless chmod would look to make like somebody else's change
                    folder.chmod(0o700)
        except OSError as error:
            raise _unwritable(self.public.parent, error) from error

    # Sources

    def slugs(self) -> tuple[str, ...]:
        """Return the names of all sources in ``content/``, sorted."""
        if not self.content.is_dir():
            return ()
        with os.scandir(self.content) as files:
            names = [file.name for file in files if file.name.endswith(".md") and not file.name.startswith(".")]
        return tuple(sorted(name.removesuffix(".md") for name in names))

    def source(self, slug: str) -> Path:
        """Return the path of a release's source, as a person would type it."""
        return self.content / f"{slug}.md"

    def inputs(self, slug: str) -> Iterator[Path]:
        """Yield the source of a release, and the pictures and films beside it, in a fixed order."""
        yield self.source(slug)
        folder = self.content / slug
        if folder.is_dir():
            yield from sorted(file for file in folder.iterdir() if file.suffix.lower() in BESIDE and file.is_file())

    @property
    def newsroom_file(self) -> Path:
        """``newsroom.toml``."""
        return self.content / FILE

    # Parsed releases

    def parsed_release(self, slug: str) -> ParsedRelease | None:
        """Return the release as last read; None when it was refused or has not been read."""
        row = self.database.row("SELECT release FROM texts WHERE slug = ?", slug)
        return _decoded([(slug, row[0])], ParsedRelease).get(slug) if row else None

    def summaries(self, slugs: Collection[str] | None = None) -> dict[str, Summary]:
        """Return the summary of every parsed release by slug, or of ``slugs``; those included that are unchecked."""
        return _decoded(self.database.of("SELECT slug, summary FROM releases", slugs), Summary)

    def parsed_slugs(self) -> set[str]:
        """Return the slugs of all parsed releases."""
        return {slug for (slug,) in self.database.rows("SELECT slug FROM releases")}

    def hidden(self, now: datetime) -> list[str]:
        """Return the parsed releases that are drafts or not public yet, and whose sources are here; sorted."""
        found = self.database.rows("SELECT slug FROM releases WHERE draft OR date > ?", microseconds(now))
        return sorted(slug for (slug,) in found if self.source(slug).is_file())

    def unchecked(self) -> set[str]:
        """Return the slugs of releases that a killed run has read and not compared with the others."""
        return {slug for (slug,) in self.database.rows("SELECT slug FROM releases WHERE NOT checked")}

    def store_release(self, parsed: ParsedRelease, summary: Summary, pictures: Mapping[str, bytes]) -> None:
        """Store a release and its pictures. It counts as unchecked until ``mark_checked``."""
        import shutil  # what few commands do is imported by those

        slug = parsed.release.slug
        shutil.rmtree(self._picture_folder(slug), ignore_errors=True)
        for name, data in pictures.items():
            write_file(self._picture_folder(slug) / name, data)
        encode, entry = msgspec.msgpack.encode, summary.entry
        until = max(map(microseconds, expiries(summary.footage).values()), default=None)
        row = (slug, summary.source, microseconds(entry.date), entry.draft, 0, encode(entry), encode(summary), until)
        self.database.write_all(
            ("INSERT OR REPLACE INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [row]),
            ("INSERT OR REPLACE INTO texts VALUES (?, ?)", [(slug, encode(parsed))]),
        )

    def mark_checked(self, slug: str) -> None:
        """Note that a release was compared with the others."""
        self.database.write("UPDATE releases SET checked = 1 WHERE slug = ?", slug)

    def drop_release(self, slug: str) -> None:
        """Forget a release that was refused or whose source is gone. Its renditions stay."""
        import shutil

        self.database.write_all(
            ("DELETE FROM releases WHERE slug = ?", [(slug,)]), ("DELETE FROM texts WHERE slug = ?", [(slug,)])
        )
        shutil.rmtree(self._picture_folder(slug), ignore_errors=True)

    def pictures(self, release: Release) -> Mapping[str, bytes]:
        """Return a release's pictures and their copies by file name, and posters and captions of its footage."""
        small = (each.file for notice in footage_of(release) for each in notice.files if not each.source)
        return Pictures(self._picture_folder(release.slug), (*release.picture_files, *dict.fromkeys(small)))

    def has_pictures(self, summary: Summary) -> bool:
        """Whether the pictures of a release are still there: somebody may have emptied the folder."""
        folder = self._picture_folder(summary.entry.slug)
        small = (each.file for each in summary.footage_files if not each.source)
        names = (*(picture.key.rpartition("/")[2] for picture in summary.pictures), *small)
        return all((folder / name).is_file() for name in names)

    def footage_file(self, slug: str, file: FootageFile) -> Path | None:
        """Return where a file of footage is on this machine; None for one in the private bucket."""
        if file.is_stored:
            return None
        return self.content / file.source if file.source else self._picture_folder(slug) / file.file

    def _picture_folder(self, slug: str) -> Path:
        return self.work / "pictures" / slug

    # Renditions

    def tree(self, unpublished: bool) -> Path:
        """Return the folder that a rendition belongs in."""
        return self.waiting if unpublished else self.public

    def rendered(self, stage: str, slugs: Collection[str] | None = None) -> dict[str, RenderedFile]:
        """Return what a stage has rendered, by slug: all, or of ``slugs``."""
        chosen = "SELECT slug, file FROM renditions WHERE tree = ? AND format = ?"
        return _decoded(self.database.of(chosen, slugs, self._tree_name, stage), RenderedFile)

    def note_rendered(self, stage: str, slug: str, file: RenderedFile) -> None:
        """Note a rendition."""
        self.database.write(
            "INSERT OR REPLACE INTO renditions VALUES (?, ?, ?, ?)",
            self._tree_name, stage, slug, msgspec.msgpack.encode(file),
        )  # fmt: skip

    def forget_rendered(self, stage: str, slug: str) -> None:
        """Forget a rendition whose file is gone."""
        self.database.write(
            "DELETE FROM renditions WHERE tree = ? AND format = ? AND slug = ?", self._tree_name, stage, slug
        )

    @property
    def _tree_name(self) -> str:
        return FINAL if self.is_final else "ordinary"

    # Facts and records

    def recall(self, name: str, kind: type[T], default: T) -> T:
        """Return the fact called ``name``; ``default`` when there is none, or one of another version's type."""
        row = self.database.row("SELECT value FROM facts WHERE name = ?", name)
        try:
            return msgspec.json.decode(row[0], type=kind) if row else default
        except msgspec.MsgspecError:
            return default

    def remember(self, name: str, value: object) -> None:
        """Store a fact."""
        self.database.write("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, msgspec.json.encode(value))

    def unusable_films(self) -> dict[str, dict[str, tuple[str, str]]]:
        """Return by slug and source what was wrong with files of the private bucket, and what to do, as last seen.

        Both are empty for one that was not there.
        """
        return self.recall(UNUSABLE, dict[str, dict[str, tuple[str, str]]], {})

    def held_back(self) -> list[str]:
        """Return the slugs of the new and changed releases that nobody has approved, or that nobody can sign here."""
        return self.recall(HELD_BACK, list[str], [])

    def record(self, sha256: str) -> bytes | None:
        """Return a public record that was fetched from storage earlier."""
        row = self.database.row("SELECT data FROM records WHERE sha256 = ?", sha256)
        return bytes(row[0]) if row else None

    def store_record(self, sha256: str, data: bytes) -> None:
        """Store a record that was fetched from storage."""
        self.database.write("INSERT OR REPLACE INTO records VALUES (?, ?)", sha256, data)

    def opaque(self, slug: str) -> str:
        """Return the random name of an unpublished release for output that others may read; it does not change."""
        names = self.recall("opaque_names", dict[str, str], {})
        if slug not in names:
            import secrets

            with self.database.transaction():  # stages that run side by side give one name
                names = self.recall("opaque_names", dict[str, str], {})
                names.setdefault(slug, f"waiting-{secrets.token_hex(4)}")
                self.remember("opaque_names", names)
        return names[slug]

    def machine_name(self) -> str:
        """Return a random name of this machine, the same in every run."""
        name = self.recall("machine_name", str, "")
        if not name:
            import secrets

            name = secrets.token_hex(8)
            self.remember("machine_name", name)
        return name

    # What make asks

    def note_next_instant(self, now: datetime) -> None:
        """Leave a file whose time is the next instant at which a scheduled release becomes public, or footage expires.

        Make compares it with the clock, so that it starts the stages again when the instant has passed.
        """
        today = microseconds(now)
        dates = self.database.rows("SELECT min(date) FROM releases WHERE NOT draft AND date > ?", today)
        footage = self.database.rows("SELECT slug, summary FROM releases WHERE until > ?", today)
        ends = (end for each in _decoded(footage, Summary).values() for end in expiries(each.footage).values())
        first = min(
            (at for at in (*(date for (date,) in dates), *map(microseconds, ends)) if at and at > today), default=0
        )
        marker = self.work / "next-instant"
        if not first:
            marker.unlink(missing_ok=True)
            return
        write_file(marker, b"")
        os.utime(marker, (first / 1_000_000,) * 2)

    def note_published(self, stamp: str) -> None:
        """Leave a file that changes when what is public asks for other renditions: the stages of make depend on it."""
        marker = self.work / "published"
        if not marker.is_file() or marker.read_text("ascii") != stamp:
            write_file(marker, stamp.encode())

    def note_change(self) -> None:
        """Note that this run has finished writing into ``output/``: make takes later changes for somebody else's."""
        write_file(self.work / "changed", b"")


class EditedState(BuildState):
    """Folders and a database of its own for some releases; of all others it knows what the state beneath knows."""

    def __init__(self, beneath: BuildState) -> None:
        super().__init__(beneath.content, beneath.work / PREVIEW)
        self._beneath = beneath
        self.films = beneath.films

    def summaries(self, slugs: Collection[str] | None = None) -> dict[str, Summary]:
        """Return the summaries of the releases here, and beneath."""
        return self._beneath.summaries(slugs) | super().summaries(slugs)

    def own(self) -> set[str]:
        """Return the slugs of the releases that are here."""
        return self.parsed_slugs()

    def remove(self) -> None:
        """Delete everything here."""
        import shutil

        self.close()
        shutil.rmtree(self.work.parent, ignore_errors=True)


class Database:
    """``state.sqlite``: opened at the first use, shared by threads, replaced when it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None
        self._owner = 0
        self._lock = RLock()

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row that a statement yields."""
        rows = self.rows(statement, *values)
        return rows[0] if rows else None

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows that a statement yields."""
        with self._lock:
            return self._run(statement, values)

    def of(self, statement: str, slugs: Collection[str] | None, *values: object) -> Iterable[tuple[Any, ...]]:
        """Return the rows that a statement yields, or those of them whose ``slug`` is one of ``slugs``."""
        if slugs is None:
            return self.rows(statement, *values)
        more = f"{statement} {'AND' if ' WHERE ' in statement else 'WHERE'} slug IN"
        return self.among(more, slugs, *values)

    def among(self, statement: str, names: Iterable[str], *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement that ends in ``IN``, for all ``names``."""
        known = sorted(name for name in names if is_storable(name))
        for at in range(0, len(known), BULK):
            some = known[at : at + BULK]
            yield from self.rows(f"{statement} ({', '.join('?' * len(some))})", *values, *some)

    def write(self, statement: str, *values: object) -> None:
        """Run one statement as a transaction. Raises SettingError when the disk is full or read-only."""
        with self._lock:
            self._run(statement, values)

    def write_all(self, *work: tuple[str, Iterable[tuple[object, ...]]]) -> None:
        """Run each statement with all its rows of values, as one transaction. Raises SettingError as ``write`` does."""
        with self.transaction() as connection:
            for statement, rows in work:
                connection.executemany(statement, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all that is written within, or nothing; one may be part of another."""
        with self._lock:
            self._run("SELECT 1 FROM facts", ())  # a damaged file is replaced before anything is begun
            connection = self._open()
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.OperationalError as error:  # a full or read-only disk
                raise _unwritable(self.path, error) from error
            finally:
                if connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")

    def _run(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._open().execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:  # a full or read-only disk, or another process that never ends
            raise _unwritable(self.path, error) from error
        except sqlite3.DatabaseError:
            self.discard()
            return self._open().execute(statement, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._owner != os.getpid():
            # A forked process must not use its parent's connection, nor close it.
            self._inherited, self._connection = self._connection, None
        if self._connection is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # A power cut may damage the file, which is then replaced; a killed process does not.
            connection.execute("PRAGMA synchronous = OFF")
            # In this order: another process may create the tables between the two.
            tables, version = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "user_version")
            )
            if tables and version != VERSION:
                connection.close()
                self.discard()
                return self._open()
            if version != VERSION:
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {_TRIGGERS} COMMIT;")
            self._connection, self._owner = connection, os.getpid()
        return self._connection

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def discard(self) -> None:
        """Delete the file; everything in it can be rendered or fetched again."""
        self.close()
        for name in (self.path, self.path.with_name(f"{self.path.name}-journal")):
            name.unlink(missing_ok=True)


def _decoded(rows: Iterable[tuple[Any, ...]], kind: type[T]) -> dict[str, T]:
    """Return the rows' values by key; what another version has written, as another type, is left out."""
    decoder = msgspec.msgpack.Decoder(kind)
    values: dict[str, T] = {}
    for key, data in rows:
        with contextlib.suppress(msgspec.MsgspecError):
            values[key] = decoder.decode(data)
    return values


def is_storable(name: str) -> bool:
    """Whether the database can hold a name: not one of a file that is no UTF-8, which is refused anyway."""
    return name.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in name)


def microseconds(instant: datetime) -> int:
    """Return an instant as a number that the database can compare."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def write_file(path: Path, data: bytes) -> None:
    """Write ``data`` aside and rename it into place. Raises SettingError when the disk is full or read-only."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(data)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def link_file(source: Path, path: Path) -> None:
    """Put a large file at ``path`` too, by a hard link where the disk has them. Raises SettingError."""
    if path.exists() and path.samefile(source):
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            try:
                aside.hardlink_to(source.resolve())
            except OSError:  # another disk, or one without links
                import shutil

                shutil.copyfile(source, aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError | sqlite3.Error) -> SettingError:
    if isinstance(error, OSError):
        return SettingError(f"{path}: cannot be written: {error.strerror}", hint_for(error))
    return SettingError(f"{path}: cannot be written: {error}", hint_for(OSError(errno.ENOSPC, "")))
