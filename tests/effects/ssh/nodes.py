"""Nodes at an address of this machine."""

from fabfile.core.spec.node import Node


def node(index: int, port: int = 22) -> Node:
    return Node(
        index=index,
        name=f"node{index}",
        address="127.0.0.1",
        ssh_host="127.0.0.1",
        ssh_port=port,
        state="running",
        id="x",
    )


NODES = [node(index) for index in range(4)]
