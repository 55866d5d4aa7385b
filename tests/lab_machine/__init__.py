"""Tests of the lab that need no root and start no cluster: they are about the machine it runs on."""
