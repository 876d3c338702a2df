"""Files that appear whole or not at all."""
import os
import pathlib


def replace(path, write):
    """write(file) fills a file beside `path`, which then takes its name."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path, data):
    replace(path, lambda file: file.write(data))
