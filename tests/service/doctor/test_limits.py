import resource

from service.doctor.finding import Level
from service.doctor.limits import look_at_limits


def test_few_open_files_are_told() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    (finding,) = look_at_limits()
    assert finding.level is Level.OK
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        (finding,) = look_at_limits()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (finding.level, finding.said) == (Level.WARN, "a process may have 200 files open")
