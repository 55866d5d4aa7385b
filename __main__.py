"""What `pulumi` runs where this repository, or a checkout of one of its tags, is a program's package."""

from pulumi_istio_mesh.host import main

if __name__ == "__main__":
    main()
