"""What a test starts must not outlive it, even if pytest is killed before it can end anything."""

import shutil


def die_with_parent() -> list[str]:
    """Give the words before a command that have the kernel kill it with whoever started it.

    prctl(2), PR_SET_PDEATHSIG, by util-linux; none where that is not there. The thread that starts it must live on.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
