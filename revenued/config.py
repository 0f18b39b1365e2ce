"""Every option, declared once: type, default, range, unit, help, and whether it changes live or needs a restart."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from revenued.errors import SettingError, StartError

OptionValue = bool | int | float | str
ENVIRONMENT_PREFIX = "REVENUED_"
CONTROL_VARIABLE = "REVENUED_CONTROL"
"""Names the control socket; every other variable with the prefix sets an option."""


def _option(
    default: OptionValue, text: str, *, unit: str = "", least: float | None = None, most: float | None = None
) -> Any:
    return Field(default=default, description=text, ge=least, le=most, json_schema_extra={"unit": unit})


def _seconds(default: int, least: int, most: int, text: str) -> Any:
    return _option(default, text, unit="s", least=least, most=most)


DAY = 86_400


class Settings(BaseModel):
    """Everything that can be tuned while the daemon runs. A cycle binds one frozen instance at its start."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    dry_run: bool = _option(True, "Decide and record everything, but tell the node nothing. Turn off to go live.")
    fee_interval: int = _seconds(1800, 60, DAY, "Time between two fee cycles.")
    flow_interval: int = _seconds(3600, 60, DAY, "Time between two flow cycles, which also sample balances and peers.")
    snapshot_interval: int = _seconds(DAY, 3600, 7 * DAY, "Time between two financial snapshots.")
    retention_interval: int = _seconds(6 * 3600, 600, 7 * DAY, "Time between two clean-ups of old rows.")

    min_fee_ppm: int = _option(10, "No price below this is ever broadcast.", unit="ppm", least=0, most=100_000)
    max_fee_ppm: int = _option(5000, "No price above this is ever broadcast.", unit="ppm", least=1, most=100_000)
    base_fee_msat: int = _option(0, "Base fee set together with every price.", unit="msat", least=0, most=100_000)
    static_floor_ppm: int = _option(
        10, "Floor under every computed price while no economic floor is known.", unit="ppm", least=0, most=100_000
    )
    fee_learner: Literal["hill_climb", "fixed"] = _option(
        "hill_climb", "How the base price moves: hill_climb follows what the channel earns, fixed never moves it."
    )
    hill_climb_step: float = _option(
        0.10, "First step of the hill climber, as a share of the price.", unit="ratio", least=0.01, most=0.5
    )
    exposure_min_hours: int = _option(
        6, "Shortest time at one price that the learner judges.", unit="h", least=1, most=168
    )
    exposure_max_hours: int = _option(
        72, "Time at one price after which the learner judges it even without a forward.", unit="h", least=1, most=720
    )
    exposure_min_forwards: int = _option(
        8, "Forwards at one price after which the learner judges it.", unit="forwards", least=1, most=10_000
    )
    enable_scarcity_pricing: bool = _option(True, "Raise the price of channels that run out of local balance.")
    scarcity_threshold: float = _option(
        0.30,
        "Outbound share below which the scarcity premium starts; it is ×3 at zero.",
        unit="ratio",
        least=0.01,
        most=0.9,
    )

    fee_hysteresis: float = _option(
        0.05, "Smallest change of a broadcast price, as a share of it, that is worth a gossip message.",
        unit="ratio", least=0.0, most=0.5,
    )  # fmt: skip
    min_fee_change_interval: int = _seconds(3600, 0, 7 * DAY, "Shortest time between two broadcasts for one channel.")
    gossip_updates_per_day: float = _option(
        2.0, "Broadcasts that each channel earns per day; unused ones are saved up to gossip_burst.",
        unit="updates", least=0.1, most=144.0,
    )  # fmt: skip
    gossip_burst: int = _option(3, "Most broadcasts a channel can have saved up.", unit="updates", least=1, most=10)
    fresh_channel_hours: int = _option(
        6, "A new channel keeps the price it was opened with for this long.", unit="h", least=0, most=720
    )
    respect_manual_hours: int = _option(
        24, "A price that somebody else set is left alone for this long.", unit="h", least=0, most=8760
    )

    low_liquidity_threshold: float = _option(
        0.2, "Outbound share below which a channel would be filled.", unit="ratio", least=0.0, most=0.5
    )
    high_liquidity_threshold: float = _option(
        0.8, "Outbound share above which a channel would be drained.", unit="ratio", least=0.5, most=1.0
    )

    htlc_congestion_threshold: float = _option(
        0.8,
        "Share of HTLC slots or value in flight above which a channel is congested.",
        unit="ratio",
        least=0.1,
        most=1.0,
    )
    flow_window_days: int = _option(7, "Days of traffic that flow estimates look at.", unit="d", least=1, most=90)
    retention_forwards_days: int = _option(
        400, "Single forwards are kept this long; hours and days of them longer.", unit="d", least=30, most=36_500
    )
    retention_hours_days: int = _option(
        1826, "Hourly sums are kept this long; daily ones for ever.", unit="d", least=90, most=36_500
    )
    retention_samples_days: int = _option(
        90, "Balance samples and peer hours are kept this long.", unit="d", least=7, most=3650
    )
    retention_cycles_days: int = _option(
        30, "The record of single cycles is kept this long.", unit="d", least=1, most=3650
    )

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        if self.min_fee_ppm > self.max_fee_ppm:
            raise ValueError(f"min_fee_ppm ({self.min_fee_ppm}) must not be above max_fee_ppm ({self.max_fee_ppm})")
        if self.exposure_min_hours > self.exposure_max_hours:
            raise ValueError(
                f"exposure_min_hours ({self.exposure_min_hours}) must not be above "
                f"exposure_max_hours ({self.exposure_max_hours})"
            )
        if self.retention_forwards_days > self.retention_hours_days:
            raise ValueError(
                f"retention_forwards_days ({self.retention_forwards_days}) must not be above "
                f"retention_hours_days ({self.retention_hours_days})"
            )
        if self.flow_window_days > self.retention_samples_days:
            raise ValueError(
                f"flow_window_days ({self.flow_window_days}) must not be above "
                f"retention_samples_days ({self.retention_samples_days})"
            )
        return self


class NodeSection(BaseModel):
    """[node] of revenued.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rpc_socket: str = Field("~/.lightning/bitcoin/lightning-rpc", description="The node's lightning-rpc socket.")


class StoreSection(BaseModel):
    """[store] of revenued.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    state_dir: str | None = Field(
        None, description="Where the database lives. Default: $STATE_DIRECTORY, else ~/.local/share/revenued."
    )
    database_url: str | None = Field(
        None, description="postgresql+psycopg://… instead of revenued.db in the state directory."
    )
    backups: int = Field(3, ge=1, le=100, description="How many copies from before an upgrade of the schema are kept.")


class ControlSection(BaseModel):
    """[control] of revenued.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    socket: str | None = Field(
        None,
        description="The control socket. Default: $RUNTIME_DIRECTORY/control, else control in the state directory.",
    )
    group: str | None = Field(
        None, description="Group that may use the control socket. Default: the daemon's own group."
    )


class LogSection(BaseModel):
    """[log] of revenued.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least important event that is logged."
    )
    format: Literal["auto", "json", "human"] = Field(
        "auto", description="auto: human on a terminal, JSON with journald priorities elsewhere."
    )


class FileConfig(BaseModel):
    """revenued.toml: what needs a restart, and under [settings] other defaults for what can be tuned live."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    node: NodeSection = NodeSection()
    store: StoreSection = StoreSection()
    control: ControlSection = ControlSection()
    log: LogSection = LogSection()
    settings: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Option:
    """What is declared about one live option."""

    key: str
    kind: Literal["bool", "int", "float", "choice"]
    default: OptionValue
    unit: str
    help: str
    least: float | None
    most: float | None
    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """Return the allowed values in words."""
        if self.kind == "bool":
            return "true or false"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        what = "whole number" if self.kind == "int" else "number"
        unit = f" {self.unit}" if self.unit and self.unit != "ratio" else ""
        return f"{what} from {_plain(self.least)} to {_plain(self.most)}{unit}"


def _plain(number: float | None) -> str:
    return "any" if number is None else f"{number:g}" if abs(number) < 1e6 else str(int(number))


def _declared() -> dict[str, Option]:
    options = {}
    for key, declared in Settings.model_fields.items():
        annotation = declared.annotation
        least = next((m.ge for m in declared.metadata if getattr(m, "ge", None) is not None), None)
        most = next((m.le for m in declared.metadata if getattr(m, "le", None) is not None), None)
        extra = declared.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        choices: tuple[str, ...] = get_args(annotation) if get_origin(annotation) is Literal else ()
        kind: Any = "choice" if choices else {bool: "bool", int: "int", float: "float"}[annotation]  # type: ignore[index]
        options[key] = Option(key, kind, declared.default, unit, declared.description or "", least, most, choices)
    return options


OPTIONS: Mapping[str, Option] = _declared()

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h|d|w)")
_SECONDS_IN = {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}
_LONGEST_TEXT = 60
"""Characters; no option needs more, and numbers of thousands of digits cost time to read and cannot be shown."""


def read_option(key: str, given: object) -> OptionValue:
    """Return the value that a person, a file or a socket gave for `key`, checked for type and range.

    Text is read in human forms: `1_000`, `30m`, `1h 30m`, `30%` for ratios, a number followed by the option's own unit.
    Raises SettingError naming the key, what was given and what is allowed.
    """
    option = OPTIONS.get(key)
    if option is None:
        raise SettingError(f"{_shown(key)}: no such option; `revenuectl config list` shows all of them")
    value = _from_text(option, given.strip()) if isinstance(given, str) else given
    if option.kind == "float" and type(value) is int and _is_allowed(option, value):
        value = float(value)
    fitting = {"bool": bool, "int": int, "float": float, "choice": str}[option.kind]
    if type(value) is not fitting or not _is_allowed(option, value):
        raise SettingError(f"{key}: {_shown(given)} is not allowed; allowed: {option.allowed}")
    return value  # type: ignore[return-value]


def _shown(given: object) -> str:
    try:
        text = repr(given)
    except (ValueError, RecursionError):  # a number of more than 4300 digits, a list in a list in a list …
        text = f"this {type(given).__name__}"
    return text if len(text) <= 80 else text[:77] + "..."


def _is_allowed(option: Option, value: Any) -> bool:
    if option.kind == "choice":
        return value in option.choices
    if option.kind == "bool":
        return True
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return (option.least is None or value >= option.least) and (option.most is None or value <= option.most)


def _from_text(option: Option, text: str) -> object:
    """Return the value that `text` stands for, or `text` itself when it stands for none."""
    if option.kind == "choice" or not text.isascii() or len(text) > _LONGEST_TEXT:
        return text
    if option.kind == "bool":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    if option.unit == "s" and (spans := _DURATION.findall(text)) and not _DURATION.sub("", text).strip():
        seconds = sum(Fraction(count) * _SECONDS_IN[unit] for count, unit in spans)
        return int(seconds) if seconds.denominator == 1 else text
    number = text
    if option.unit == "ratio" and text.endswith("%"):
        number = text[:-1].rstrip() + "e-2"  # one conversion from text rounds once; a division would round again
    elif option.unit and text.lower().endswith(option.unit):
        number = text[: -len(option.unit)].rstrip()
    try:
        return int(number) if option.kind == "int" else float(number)
    except ValueError:
        return text


def build_settings(*layers: Mapping[str, OptionValue]) -> Settings:
    """Return the settings with `layers` laid over the defaults, later ones on top; raises SettingError."""
    merged: dict[str, OptionValue] = {}
    for layer in layers:
        merged.update({key: read_option(key, value) for key, value in layer.items()})
    try:
        return Settings(**merged)  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingError("; ".join(_sentence(problem) for problem in error.errors())) from error


def environment_layer(environment: Mapping[str, str]) -> dict[str, OptionValue]:
    """Return the options set as REVENUED_<KEY> in the environment; raises SettingError, also for a key that is none."""
    names = {ENVIRONMENT_PREFIX + key.upper(): key for key in OPTIONS}
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in names and name != CONTROL_VARIABLE:
            raise SettingError(f"{name:.80}: the environment sets an option that does not exist")
    return {names[name]: read_option(names[name], text) for name, text in environment.items() if name in names}


def read_file(path: Path) -> FileConfig:
    """Return the configuration in `path`; raises StartError naming the file, the field and what is allowed."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # no TOML, no UTF-8, or a number too long to read
        raise StartError(f"{path}: {error}") from error
    except RecursionError as error:
        raise StartError(f"{path}: nested too deeply") from error
    try:
        read = FileConfig.model_validate(raw)
        build_settings(read.settings)
    except ValidationError as error:
        raise StartError(f"{path}: " + "; ".join(_sentence(problem) for problem in error.errors())) from error
    except SettingError as error:
        raise StartError(f"{path}: [settings] {error}") from error
    return read


def _sentence(problem: Any) -> str:
    """Return one of pydantic's findings as `field: what is wrong`."""
    where = ".".join(str(part) for part in problem["loc"])
    message = "no such option" if problem["type"] == "extra_forbidden" else str(problem["msg"])
    message = message.removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
