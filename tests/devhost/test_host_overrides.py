"""App settings that override values of `host.json`."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from devhost.host.errors import ConfigurationError
from devhost.host.host_config import read_host_config
from tests.devhost.apps import index_code

QUEUES = "AzureFunctionsJobHost__extensions__queues__"


def _host_json(directory: Path, text: str) -> Path:
    (directory / "host.json").write_text(text)
    return directory


def test_a_setting_beats_host_json_and_leaves_the_rest_of_it(tmp_path: Path) -> None:
    app = _host_json(
        tmp_path,
        '{"version": "2.0", "extensions": {"queues": {"batchSize": 4, "maxDequeueCount": 3}}}',
    )
    queues = read_host_config(app, {f"{QUEUES}batchSize": "8"}).extensions.queues
    assert (queues.batch_size, queues.max_dequeue_count) == (8, 3)


def test_a_setting_adds_what_host_json_leaves_out(tmp_path: Path) -> None:
    app = _host_json(tmp_path, '{"version": "2.0"}')
    settings = {
        f"{QUEUES}visibilityTimeout": "00:00:30",
        "AzureFunctionsJobHost__functionTimeout": "-1",
    }
    config = read_host_config(app, settings)
    assert config.extensions.queues.visibility_timeout == timedelta(seconds=30)
    assert config.function_timeout is None


@pytest.mark.parametrize(("said", "level"), [("Debug", logging.DEBUG), ("none", 51), ("Odd", 20)])
def test_how_much_the_host_says_is_its_default_log_level(
    tmp_path: Path, said: str, level: int
) -> None:
    app = _host_json(
        tmp_path, '{"version": "2.0", "logging": {"logLevel": {"default": "Warning"}}}'
    )
    assert read_host_config(app).logging.level == logging.WARNING
    setting = "AzureFunctionsJobHost__logging__logLevel__default"
    assert read_host_config(app, {setting: said}).logging.level == level


@pytest.mark.parametrize("queues", ["{}", '{"batchSize": 4}'])
def test_the_case_of_the_setting_does_not_matter(tmp_path: Path, queues: str) -> None:
    app = _host_json(tmp_path, f'{{"version": "2.0", "extensions": {{"queues": {queues}}}}}')
    setting = "AZUREFUNCTIONSJOBHOST__EXTENSIONS__QUEUES__BATCHSIZE"
    assert read_host_config(app, {setting: "8"}).extensions.queues.batch_size == 8


@pytest.mark.parametrize(
    ("document", "settings"),
    [
        ('{"version": "2.0", "functions": ["Work", "health"]}', {}),
        (
            '{"version": "2.0"}',
            {
                "AzureFunctionsJobHost__functions__0": "work",
                "AzureFunctionsJobHost__functions__1": "Health",
            },
        ),
    ],
)
def test_only_functions_that_are_listed_run(
    tmp_path: Path, document: str, settings: dict[str, str]
) -> None:
    allowed = read_host_config(_host_json(tmp_path, document), settings).functions
    code = "".join(
        f"@app.route('{name}')\ndef {name}(req: func.HttpRequest) -> str: ...\n"
        for name in ("work", "idle", "HEALTH")
    )
    index = index_code(tmp_path, code, allowed=allowed)
    assert [function.name for function in index.functions] == ["HEALTH", "work"]
    assert list(index.skipped) == ["idle"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (f"{QUEUES}batchSize", "many", "extensions.queues.batchSize"),
        ("AzureFunctionsJobHost__version__major", "2", "no section"),
    ],
)
def test_an_override_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, setting: str, value: str, said: str
) -> None:
    app = _host_json(tmp_path, '{"version": "2.0"}')
    with pytest.raises(ConfigurationError, match=said):
        read_host_config(app, {setting: value})


def test_other_settings_override_nothing(tmp_path: Path) -> None:
    app = _host_json(tmp_path, '{"version": "2.0"}')
    other = {"extensions__queues__batchSize": "8", "AzureFunctionsJobHost": "8"}
    assert read_host_config(app, other) == read_host_config(app)
