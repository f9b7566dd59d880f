def check(candidate):
    found = candidate()

    def must(what, is_so):
        assert is_so, "%s: %r" % (what, found[what])

    must("python", found["python"] >= (3, 9))
    must("user", found["user"] == 1000)
    must("process", found["process"] == 1)
    must("parent", found["parent"] == 0)
    for name in ("proc", "sys", "home", "root", "var", "run", "mnt", "boot", "srv", "media"):
        must("root", name not in found["root"])
    must("devices", found["devices"] == ["full", "null", "random", "urandom", "zero"])
    must("etc", set(found["etc"]) <= {"ld.so.cache"})
    must("here", found["here"] == [])
    must("files", found["files"][:5] == [0, 1, 2, 3, 4] and len(found["files"]) <= 7)
    must("environment", found["environment"] == ["HOME", "LANG", "PATH", "TMPDIR", "TZ"])
    must("capabilities", found["capabilities"] == [])
    must("noNewPrivileges", found["noNewPrivileges"] == 1)
    must("seccomp", found["seccomp"] == 2)
    must("writeRoot", found["writeRoot"] == "EROFS")
    must("writeUsr", found["writeUsr"] == "EROFS")
    must("writeHere", found["writeHere"] is None)
    must("becomeRoot", found["becomeRoot"] == "EINVAL")  # There is no user 0.
    for name in ("socket", "unixSocket", "namespace", "mount", "trace"):
        must(name, found[name] == "EPERM")
    must("forks", found["forks"] <= PROCESSES)
    assert not found["memory"](MEMORY), "more memory than the limit was given"
