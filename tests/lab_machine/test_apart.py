"""Several labs on one machine: each in a process with a network and mounts of its own."""

from __future__ import annotations

from .elsewhere import ENTERED, run

SEES_NOBODY = """
links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
assert [line.split(": ")[1] for line in links.splitlines()] == ["lo"], links
assert os.readlink("/proc/self/ns/net") != os.readlink(f"/proc/{os.getppid()}/ns/net")
assert list(Path("/run/netns").iterdir()) == []
assert cgroups.name_of("c1") == "istio-mesh-a-test-c1"
"""

ANOTHER_STARTS = """
with apart.alone():
    if len(sys.argv) > 2:
        subprocess.run([sys.executable, "-c", sys.argv[2], "another"], check=True)
"""

NOT_TWICE = """
with apart.alone():
    try:
        with apart.alone():
            raise SystemExit("two at once")
    except LabError as error:
        assert "is at work" in str(error)
with apart.alone():
    pass
"""

BESIDE_A_CABLE = """
subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
subprocess.run(["ip", "link", "add", network.HOST_CABLE, "type", "veth", "peer", "name", "host"], check=True)
assert Path(f"/sys/class/net/{network.HOST_CABLE}").exists()
subprocess.run([sys.executable, "-c", sys.argv[2], "another"], check=True)
network.remove()
assert not Path(f"/sys/class/net/{network.HOST_CABLE}").exists()
"""


def test_a_process_apart_sees_nothing_of_others() -> None:
    run(SEES_NOBODY)


def test_a_lab_starts_while_another_one_does_elsewhere() -> None:
    run(ANOTHER_STARTS, ENTERED + ANOTHER_STARTS)


def test_two_do_not_start_in_one_place() -> None:
    run(NOT_TWICE)


def test_one_that_has_none_removes_nobodys_cable() -> None:
    run(BESIDE_A_CABLE, ENTERED + "network.remove()")
