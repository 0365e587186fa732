"""The house's secret: made once, the same for all, readable by nobody else."""

from concurrent.futures import ThreadPoolExecutor

from cloud.adapters.secret_key import kept_secret, key_for


def test_a_secret_that_is_named_is_the_secret_and_nothing_is_written(tmp_path):
    assert kept_secret("named", tmp_path) == b"named"
    assert list(tmp_path.iterdir()) == []


def test_without_one_it_is_made_once_and_kept_for_its_owner_only(tmp_path):
    folder = tmp_path / "data"
    secret = kept_secret("", folder)

    assert len(secret) >= 32
    assert kept_secret("", folder) == secret
    assert [one.name for one in folder.iterdir()] == ["secret.key"]
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600


def test_of_many_who_start_at_once_all_get_the_same(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: kept_secret("", tmp_path / "data"), range(64)))

    assert len(secrets) == 1


def test_houses_have_different_secrets_and_purposes_different_keys(tmp_path):
    one, other = kept_secret("", tmp_path / "one"), kept_secret("", tmp_path / "other")

    assert one != other
    assert len({key_for(one, "otp"), key_for(one, "feed"), key_for(other, "otp")}) == 3
