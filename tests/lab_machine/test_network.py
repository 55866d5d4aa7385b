"""The lab's wires, made and removed on a network of their own."""

from __future__ import annotations

from .elsewhere import run

ONE_IS_LOST_WHILE_SOMETHING_HOLDS_ITS_NETWORK = """
shape = Shape(2, nodes=False)
network.build(shape)
holder = subprocess.Popen([*network.enter("c2"), "sleep", "60"])
try:
    while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        pass
    network.remove_cluster("c2")
    assert network.existing() == ["mesh-lab-c1", "mesh-lab-wan"]
    network.build_cluster(shape, "c2")
finally:
    holder.kill()
network.remove()
"""


def test_a_lost_cluster_can_come_back_while_a_process_still_holds_its_old_network() -> None:
    run(ONE_IS_LOST_WHILE_SOMETHING_HOLDS_ITS_NETWORK)
