"""Images are valid OCI layouts, the same bytes each time. Whether containerd takes them, only a lab can tell."""

import hashlib
import io
import json
import tarfile

from lab.oci import Files, Image, write_image


def an_image(tmp_path) -> Image:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    files = Files({"/usr/bin/program": program}, {"/etc/passwd": b"root"}, {"/bin/sh": "busybox"}, ["/tmp"])
    return Image(("docker.io/a/b:1", "localhost/b:2"), files, ("/usr/bin/program",), "1337:1337", ("A=b",))


def blobs_of(archive) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


def test_every_blob_is_named_by_its_digest_and_every_reference_leads_to_one(tmp_path):
    write_image(an_image(tmp_path), tmp_path / "image.tar")
    content = blobs_of(tmp_path / "image.tar")
    assert json.loads(content["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    named = {name for name in content if name.startswith("blobs/sha256/")}
    assert named == {f"blobs/sha256/{hashlib.sha256(content[name]).hexdigest()}" for name in named}
    index = json.loads(content["index.json"])
    references = [m["digest"] for m in index["manifests"]]
    manifest = json.loads(content["blobs/sha256/" + references[0].removeprefix("sha256:")])
    references += [d["digest"] for d in [manifest["config"], *manifest["layers"]]]
    assert {f"blobs/sha256/{r.removeprefix('sha256:')}" for r in references} == named


def test_an_image_is_known_by_all_of_its_names(tmp_path):
    write_image(an_image(tmp_path), tmp_path / "image.tar")
    index = json.loads(blobs_of(tmp_path / "image.tar")["index.json"])
    names = [m["annotations"]["io.containerd.image.name"] for m in index["manifests"]]
    assert names == ["docker.io/a/b:1", "localhost/b:2"]


def test_the_layer_holds_files_links_and_folders_that_anybody_may_write_to(tmp_path):
    write_image(an_image(tmp_path), tmp_path / "image.tar")
    content = blobs_of(tmp_path / "image.tar")
    layer = max((b for name, b in content.items() if name.startswith("blobs")), key=len)
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        modes = {entry.name: (entry.type, oct(entry.mode)) for entry in tar}
    assert modes["usr/bin/program"] == (tarfile.REGTYPE, "0o755")
    assert modes["bin/sh"][0] == tarfile.SYMTYPE
    assert modes["tmp"] == (tarfile.DIRTYPE, "0o1777")


def test_the_same_files_make_the_same_bytes(tmp_path):
    for name in ("one.tar", "two.tar"):
        write_image(an_image(tmp_path), tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_changed_program_changes_the_fingerprint(tmp_path):
    before = an_image(tmp_path).fingerprint()
    (tmp_path / "program").write_bytes(b"\x7fELF, newer")
    assert an_image(tmp_path).files.fingerprint() != before
