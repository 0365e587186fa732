"""docker-compose.yml says nothing the code does not have, and starts in an order that can work."""

import graphlib
import importlib
import re
import shlex
import subprocess

import pytest
import typer
import yaml

import cloud.settings
import station_agent.settings
from cloud.api.app import ROUTERS
from cloud.api.health import router as health
from simulator.scenarios import scenario
from tests.deploy.test_settings_example import SAID
from tests.support.processes import PYTHON, ROOT

COMPOSE = ROOT / "docker-compose.yml"
TEXT = COMPOSE.read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"] == "baywatt"}
SETTINGS = {"CLOUD_": cloud.settings.Settings, "AGENT_": station_agent.settings.Settings}


def words_of(service: dict) -> list[str]:
    """Return the `package command options` of a service, also where a shell starts it."""
    if "entrypoint" not in service:
        return service["command"]
    (script,) = service["command"]
    words = shlex.split(script.replace("$$", "$"))
    return words[words.index("-m") + 1 :]


@pytest.mark.parametrize("name", list(OURS))
def test_every_command_and_option_exists(name):
    package, command, *rest = words_of(OURS[name])
    app = typer.main.get_command(importlib.import_module(f"{package}.__main__").app)
    options = {option for one in app.commands[command].params for option in one.opts}
    said = {word.partition("=")[0] for word in rest if word.startswith("--")}

    assert said <= options
    if package == "simulator":
        assert scenario(rest[0]) is not None


@pytest.mark.parametrize("name", list(OURS))
def test_every_variable_is_a_setting(name):
    known = {
        prefix + field.upper()
        for prefix, settings in SETTINGS.items()
        for field in settings.model_fields
    }
    said = {one for one in OURS[name].get("environment", {}) if one.startswith(tuple(SETTINGS))}

    assert said <= known


def test_the_example_file_names_what_compose_reads_and_compose_reads_what_it_names():
    read = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    own = {name for name in SAID if name.startswith("BAYWATT_") and "_DEMO_" not in name}

    assert read <= set(SAID)
    assert own <= read


def test_no_secret_has_a_default():
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEY|TOKEN))([^}]*)\}", TEXT)

    assert secrets
    assert {name for name, rest in secrets if not rest.startswith(":?")} <= {
        "CLOUD_SECRET_KEY",
        "CLOUD_STRIPE_PUBLISHABLE_KEY",
        "CLOUD_STRIPE_SECRET_KEY",
        "CLOUD_VAPID_PRIVATE_KEY",
    }


def test_services_wait_in_an_order_that_ends():
    graph = {name: set(one.get("depends_on", {})) for name, one in SERVICES.items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())

    assert set(order) == set(SERVICES)
    assert order.index("migrate") < order.index("ingest") < order.index("agent")
    assert order[-1] == "simulator"


@pytest.mark.parametrize("name", list(SERVICES))
def test_who_is_waited_for_can_be_so(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        match how["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[other], other
            case "service_completed_successfully":
                assert SERVICES[other]["restart"] == "on-failure", other
            case condition:
                assert condition == "service_started", other


@pytest.mark.parametrize("name", list(OURS))
def test_our_processes_own_little(name):
    service = OURS[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service


def test_health_checks_ask_for_pages_that_exist():
    paths = {route.path for router in (health, *ROUTERS) for route in router.routes} | {"/metrics"}
    asked = re.findall(r"http://127\.0\.0\.1:\d+(/\w+)'", TEXT)

    assert asked
    assert set(asked) <= paths


def test_images_of_others_are_pinned():
    images = {one["image"] for one in SERVICES.values()} - {"baywatt"}

    assert images == {"mysql:8.4.11", "influxdb:2.9.1", "eclipse-mosquitto:2.0.22"}


def test_what_is_mounted_from_here_is_here():
    mounted = re.findall(r"- \./([^:]+):", TEXT)

    assert mounted
    assert [path for path in mounted if not (ROOT / path).is_file()] == []


def test_every_volume_of_ours_is_a_folder_of_the_image():
    """Docker gives a new volume the owner of the folder it covers: else nobody could write."""
    image = (ROOT / "Dockerfile").read_text()
    targets = {
        volume.split(":")[1]
        for service in OURS.values()
        for volume in service.get("volumes", [])
        if not volume.endswith(":ro")
    }

    assert targets
    assert [one for one in targets if one not in image] == []


def test_the_broker_runs_as_whose_its_files_are():
    uid = re.search(r"USER (\d+:\d+)", (ROOT / "Dockerfile").read_text())

    assert uid is not None
    assert SERVICES["mosquitto"]["user"] == uid[1]


def test_everything_the_image_copies_gets_past_dockerignore():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    needed = {"contracts", "cloud", "station_agent", "simulator", "firmware_bridge"}
    needed |= {"package.json", "package-lock.json", "requirements.lock", "tools/setup.py"}

    assert lines[1] == "*"
    assert needed <= allowed
    assert [one for one in allowed if not (ROOT / one).exists()] == []


def test_the_file_is_valid_by_the_compose_specification():
    checker = [PYTHON, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(checker, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
