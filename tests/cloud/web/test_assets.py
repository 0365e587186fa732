"""Static files: their addresses change with their content, and nothing else is served."""

import gzip

import pytest

from cloud.web.assets import Assets
from tests.cloud.web.reading import assets_of, imports_of

FIRST_PAGE_BYTES = 120 * 1024


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "low.js").write_text("export const low = 1;")
    (tmp_path / "js" / "high.js").write_text('import { low } from "./low.js";\nlow;')
    (tmp_path / "land.json").write_text("{}")
    return tmp_path


def test_a_changed_file_has_another_address(folder):
    before = Assets(folder).url("js/low.js")
    (folder / "js" / "low.js").write_text("export const low = 2;")

    assert Assets(folder).url("js/low.js") != before


def test_a_module_changes_its_address_with_what_it_imports(folder):
    assets = Assets(folder)
    before = assets.url("js/high.js")
    body = assets.get("js/high.js").body.decode()
    (folder / "js" / "low.js").write_text("export const low = 2;")

    assert f'from "./low.js?v={assets.get("js/low.js").version}"' in body
    assert Assets(folder).url("js/high.js") != before


@pytest.mark.parametrize("name", ["land.json", "../secret.js", "js", "js/none.js", "/etc/passwd"])
def test_only_static_files_of_known_kinds_are_served(folder, name):
    (folder.parent / "secret.js").write_text("1")

    with pytest.raises((FileNotFoundError, IsADirectoryError)):
        Assets(folder).get(name)


def test_only_the_right_hash_is_kept_for_a_year(client):
    name = next(one for one in assets_of(client.get("/").text) if "app.js" in one)
    plain = name.partition("?")[0]

    assert "immutable" in client.get(name).headers["cache-control"]
    assert client.get(plain).headers["cache-control"] == "no-cache"
    assert client.get(f"{plain}?v=other").headers["cache-control"] == "no-cache"
    assert client.get("/static/vendor/land-10m.json").status_code == 404


def test_files_are_sent_compressed_to_those_who_can_read_it(client):
    plain = client.get("/static/css/baywatt.css", headers={"accept-encoding": "identity"})
    packed = client.get("/static/css/baywatt.css", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


def test_x3_the_first_page_needs_at_most_120_kb_of_scripts_and_sheets(client):
    waiting = assets_of(client.get("/").text)
    sizes: dict[str, int] = {}
    while waiting:
        name = waiting.pop()
        if name in sizes:
            continue
        body = client.get(name).content
        sizes[name] = len(gzip.compress(body, 9))
        if "/js/" in name:
            waiting += [f"/static/js/{one}" for one in imports_of(body.decode())]

    assert any("leaflet.js" in name for name in sizes)
    assert any("stream.js" in name for name in sizes)
    assert sum(sizes.values()) <= FIRST_PAGE_BYTES, sizes
