"""`local.settings.json`, `host.json` and `%Name%`."""

from datetime import timedelta
from pathlib import Path

import pytest

from devhost.host.errors import ConfigurationError, FunctionLoadError
from devhost.host.host_config import parse_time_span, read_host_config
from devhost.host.settings import (
    apply_local_settings,
    is_disabled,
    read_local_settings,
    resolve_references,
)


def _settings_file(directory: Path, text: str) -> Path:
    path = directory / "local.settings.json"
    path.write_text(text)
    return path


def test_values_become_app_settings_unless_already_set(tmp_path: Path) -> None:
    path = _settings_file(tmp_path, '{"Values": {"NEW": "file", "KNOWN": "file", "NUMBER": 7}}')
    environment = {"KNOWN": "environment"}
    apply_local_settings(read_local_settings(path), environment)
    assert environment == {"NEW": "file", "KNOWN": "environment", "NUMBER": "7"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Invalid JSON"),
        ('{"IsEncrypted": true, "Values": {}}', "encrypted"),
        ('{"Values": {"A": ["b"]}}', "Values.A"),
    ],
)
def test_unusable_local_settings_say_why_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_local_settings(_settings_file(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_references_are_replaced_wherever_they_stand_in_a_text() -> None:
    environment = {"CONTAINER": "uploads", "KIND": "tif"}
    assert resolve_references("%CONTAINER%/{name}.%KIND%", environment) == "uploads/{name}.tif"
    assert resolve_references(["%KIND%", 3], environment) == ["tif", 3]


def test_a_reference_to_a_setting_that_is_not_set_is_refused() -> None:
    with pytest.raises(FunctionLoadError, match="'MISSING' is not set"):
        resolve_references("%MISSING%", {})


@pytest.mark.parametrize(
    ("environment", "disabled"),
    [
        ({"AzureWebJobs.nightly.Disabled": "true"}, True),
        ({"AzureWebJobs.nightly.Disabled": "1"}, True),
        ({"AzureWebJobs_nightly_Disabled": "True"}, True),
        ({"AzureWebJobs.nightly.Disabled": "false"}, False),
        ({"AzureWebJobs.other.Disabled": "true"}, False),
    ],
)
def test_a_function_is_disabled_by_its_own_setting_only(
    environment: dict[str, str], disabled: bool
) -> None:
    assert is_disabled("nightly", environment) is disabled


def test_host_json_defaults_are_those_of_the_real_host(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0", "logging": {"any": "thing"}}')
    config = read_host_config(tmp_path)
    queues = config.extensions.queues
    assert config.extensions.http.route_prefix == "api"
    assert (queues.batch_size, queues.effective_threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert queues.message_encoding == "base64"
    assert config.function_timeout == timedelta(minutes=30)


def test_function_timeout_minus_one_is_no_timeout(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0", "functionTimeout": "-1"}')
    assert read_host_config(tmp_path).function_timeout is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": "1.0"}', "version"),
        ('{"version": "2.0", "functionTimeout": "soon"}', "functionTimeout.*time span"),
        ('{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}', "batchSize"),
    ],
)
def test_an_invalid_host_json_names_the_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        read_host_config(tmp_path)


def test_a_missing_host_json_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"host\.json"):
        read_host_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("00:00:02", timedelta(seconds=2)),
        ("1.02:03:04", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:00:00.5", timedelta(milliseconds=500)),
        ("01:30", timedelta(hours=1, minutes=30)),
    ],
)
def test_time_spans_are_read_as_dotnet_writes_them(text: str, duration: timedelta) -> None:
    assert parse_time_span(text) == duration
