"""Records of processes: who is ended and who is spared. Only processes of this test are ever started."""

import signal
import subprocess
import time

import pytest

from lab.errors import LabError
from lab.process import Recorded, end, start, wait_until


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_recorded_process_is_ended(tmp_path):
    program = start("sleeper", ["sleep", "60"], records=tmp_path / "records", logs=tmp_path)
    wait_until(lambda: Recorded.from_file(tmp_path / "records" / "sleeper") is not None, "a record", timeout_seconds=5)
    end([Recorded.from_file(tmp_path / "records" / "sleeper")], grace_seconds=5)
    assert program.handle.wait(5) == -signal.SIGTERM


def test_the_record_is_of_the_program_and_not_of_a_parent_of_it(tmp_path):
    program = start("sleeper", ["sleep", "60"], records=tmp_path / "records", logs=tmp_path)
    wait_until(lambda: Recorded.from_file(tmp_path / "records" / "sleeper") is not None, "a record", timeout_seconds=5)
    recorded = Recorded.from_file(tmp_path / "records" / "sleeper")
    assert recorded == Recorded.running(program.handle.pid)
    program.handle.kill()
    program.handle.wait()
    assert not recorded.alive


def test_a_process_that_got_a_reused_pid_is_spared(sleeper):
    running = Recorded.running(sleeper.pid)
    end([Recorded(running.pid, running.started - 1)], grace_seconds=0)
    time.sleep(0.1)
    assert sleeper.poll() is None


def test_a_name_with_spaces_and_parentheses_does_not_hide_the_start_time():
    fields = " ".join(str(n) for n in range(4, 53))
    assert Recorded.from_stat(f"17 (a) b (c)) S {fields}") == Recorded(17, 22)


def test_a_program_that_ends_early_is_told_with_its_exit_code_and_last_words(tmp_path):
    program = start("etcd", ["sh", "-c", "echo no space left; exit 7"], records=tmp_path / "r", logs=tmp_path)
    with pytest.raises(LabError, match=r"etcd ended with exit code 7; its last lines:\n    no space left$"):
        wait_until(lambda: False, "etcd ready", programs=[program], timeout_seconds=5)


def test_a_wait_has_an_end():
    with pytest.raises(LabError, match=r"^the moon: not within 0 s"):
        wait_until(lambda: False, "the moon", timeout_seconds=0.2)
