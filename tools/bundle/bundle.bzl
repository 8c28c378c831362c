"""m2f_bundle: programs and tests in one archive that runs on a host without Bazel."""

def _files_of(binary, executable):
    """A binary's own data files, with the path below the workspace at which it looks for them."""
    rows = []
    for file in binary[DefaultInfo].default_runfiles.files.to_list():
        path = file.short_path
        if file == executable or path.startswith("../") or path.startswith("_solib"):
            continue
        rows.append((file, path))
    return rows

def _bundle_impl(ctx):
    archive = ctx.actions.declare_file(ctx.label.name + ".tar.xz")
    rows = ["script\t%s\trun" % ctx.file._run.path]
    inputs = [ctx.file._run]
    for script in ctx.files.scripts:
        rows.append("script\t%s\t%s" % (script.path, script.basename[:-len(".sh")]))
        inputs.append(script)
    for binary in ctx.attr.binaries:
        executable = binary[DefaultInfo].files_to_run.executable
        rows.append("bin\t%s\t%s" % (executable.path, executable.basename))
        for file, path in _files_of(binary, executable):
            rows.append("file\t%s\t%s" % (file.path, path))
    for file in ctx.files.data:
        rows.append("file\t%s\t%s" % (file.path, file.short_path))
        inputs.append(file)
    status = ""
    if ctx.attr.stamp:
        status = ctx.version_file.path
        inputs.append(ctx.version_file)
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "\n".join(rows) + "\n")
    ctx.actions.run(
        executable = ctx.executable._pack,
        arguments = [
            archive.path,
            ctx.label.name,
            manifest.path,
            ctx.executable._libtorch_version.path,
            "1" if ctx.attr.cuda else "0",
            str(ctx.attr.max_megabytes),
            status,
        ],
        inputs = depset(
            inputs + [manifest],
            transitive = [b[DefaultInfo].default_runfiles.files for b in ctx.attr.binaries],
        ),
        outputs = [archive],
        tools = [ctx.attr._libtorch_version[DefaultInfo].files_to_run],
        env = {"PATH": "/bin:/usr/bin:/usr/local/bin"},
        mnemonic = "Bundle",
        progress_message = "Packing %s" % archive.short_path,
    )
    return [DefaultInfo(
        files = depset([archive]),
        runfiles = ctx.runfiles(files = [archive]),
    )]

_bundle = rule(
    implementation = _bundle_impl,
    attrs = {
        "binaries": attr.label_list(cfg = "target", mandatory = True),
        "cuda": attr.bool(),
        "data": attr.label_list(allow_files = True),
        "max_megabytes": attr.int(),
        "scripts": attr.label_list(allow_files = [".sh"]),
        "stamp": attr.bool(),
        "_libtorch_version": attr.label(
            cfg = "target",
            default = "//tools/bundle:libtorch_version",
            executable = True,
        ),
        "_pack": attr.label(cfg = "host", default = "//tools/bundle:pack", executable = True),
        "_run": attr.label(allow_single_file = True, default = "//tools/bundle:run.sh"),
    },
)

def m2f_bundle(name, binaries, data = [], scripts = [], max_megabytes = 60, stamp = True, **kwargs):
    """Packs `binaries` with the shared objects they need into <name>.tar.xz.

    LibTorch and CUDA are left out: <name>/run, which starts a program, finds them on the host. Data
    files of binaries and `data` come along under <name>/files; `scripts` (x.sh) become <name>/x.
    Fails if the archive is larger than `max_megabytes`. <name>/about tells the commit that it was packed
    from if `stamp` is True and the build has a --workspace_status_command that prints BUILD_SCM_REVISION,
    as tools/bundle/workspace_status.sh does; a commit that changes nothing in the archive does not pack it anew.
    """
    _bundle(
        name = name,
        binaries = binaries,
        cuda = select({
            str(Label("//tools/config:cuda")): True,
            "//conditions:default": False,
        }),
        data = data,
        max_megabytes = max_megabytes,
        scripts = scripts,
        stamp = stamp,
        **kwargs
    )
