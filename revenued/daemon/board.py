"""The settings in force: one frozen snapshot, replaced as a whole, and only by what stands in the database."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from revenued.clock import Clock
from revenued.config import OPTIONS, OptionValue, Settings, build_settings, read_option
from revenued.errors import SettingError
from revenued.log import get as logger
from revenued.store.engine import Store
from revenued.store.settings import read_overrides, write_overrides


@dataclass(frozen=True, slots=True)
class BoundSettings:
    """One consistent set of settings, and the generation that it belongs to."""

    settings: Settings
    generation: int
    origins: Mapping[str, str]
    """Option → default | file | environment | stored."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One option that got another value."""

    key: str
    old: OptionValue
    new: OptionValue


class SettingsBoard:
    """Hands out the settings in force and changes them in one transaction. Safe from any thread."""

    def __init__(
        self, store: Store, clock: Clock, *, file: Mapping[str, OptionValue], environment: Mapping[str, OptionValue]
    ) -> None:
        self._store = store
        self._clock = clock
        self._changing = threading.Lock()
        self._file = dict(file)
        self._environment = dict(environment)
        with store.read() as connection:
            stored, generation = read_overrides(connection)
        self._bound = self._bind(self._readable(stored), generation)

    def bound(self) -> BoundSettings:
        """Return the settings in force; the value never changes under its holder."""
        return self._bound

    def change(self, values: Mapping[str, object], *, by: str) -> tuple[BoundSettings, list[Changed]]:
        """Set several options at once: checked, written, read back, put in force; or SettingError and nothing done."""
        read = {key: read_option(key, value) for key, value in values.items()}
        if not read:
            raise SettingError("values: give at least one option and its value")
        with self._changing:
            before = self._bound
            with self._store.write() as connection:
                stored, _ = read_overrides(connection)
                build_settings(self._file, self._environment, self._readable(stored) | read)
                old = {key: value for key, value in stored.items() if key in read}
                write_overrides(connection, read, old, by=by, now=self._clock.now())
            with self._store.read() as connection:
                stored, generation = read_overrides(connection)
            self._bound = self._bind(self._readable(stored), generation)
        changed = [
            Changed(key, getattr(before.settings, key), getattr(self._bound.settings, key))
            for key in read
            if getattr(before.settings, key) != getattr(self._bound.settings, key)
        ]
        return self._bound, changed

    def reload(self, file: Mapping[str, OptionValue]) -> list[Changed]:
        """Put other values from the file in force; raises SettingError and keeps what was."""
        with self._changing:
            before = self._bound
            with self._store.read() as connection:
                stored, generation = read_overrides(connection)
            build_settings(file, self._environment, self._readable(stored))
            self._file = dict(file)
            self._bound = self._bind(self._readable(stored), generation)
        return [
            Changed(key, getattr(before.settings, key), getattr(self._bound.settings, key))
            for key in OPTIONS
            if getattr(before.settings, key) != getattr(self._bound.settings, key)
        ]

    def _bind(self, stored: Mapping[str, OptionValue], generation: int) -> BoundSettings:
        origins = dict.fromkeys(OPTIONS, "default")
        for name, layer in (("file", self._file), ("environment", self._environment), ("stored", stored)):
            origins.update(dict.fromkeys(layer, name))
        return BoundSettings(build_settings(self._file, self._environment, stored), generation, origins)

    @staticmethod
    def _readable(stored: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Leave out what an other version stored and this one does not know; it stays in the database."""
        kept: dict[str, OptionValue] = {}
        for key, value in stored.items():
            try:
                kept[key] = read_option(key, value)
            except SettingError as refusal:
                logger().error("stored_option_ignored", option=key, why=str(refusal))
        return kept
