"""The extension modules, the runtime's and the kernels', and their switches.

Read from the environment: RRL_DEBUG=0..3 (level of the C code's own assertions),
RRL_SANITIZE=address|undefined|thread (several: comma between them), RRL_COVERAGE=1,
RRL_STRICT=1 (more warnings, and every one an error, for the files in csrc/).
"""

import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SWITCHES = ("RRL_DEBUG", "RRL_SANITIZE", "RRL_COVERAGE", "RRL_STRICT")
# -iquote: csrc/assert.h must not stand in for the system's <assert.h>.
COMPILE = [
    "-iquotecsrc",
    "-iquotereactorrl",
    "-std=c11",
    "-O3",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-pthread",
]
STRICT = ["-Wpedantic", "-Wshadow", "-Wconversion"]
STRICT += ["-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror"]
HEADERS = sorted(
    glob("csrc/**/*.h", recursive=True)
    + glob("reactorrl/*.h")
    + glob("reactorrl/**/*.px[di]", recursive=True)
)
# Each from its .pyx and the C it binds. The kernels are leaves: they know nothing of the runtime.
EXTENSIONS = {
    "reactorrl._core": glob("csrc/*.c"),
    "reactorrl.rl._n_step": ["csrc/kernels/n_step.c"],
    "reactorrl.rl._sum_tree": ["csrc/kernels/sum_tree.c"],
    "reactorrl.atari._frames": ["csrc/kernels/screen.c"],
}


def switch(name):
    """The value of a switch; empty where it is off."""
    value = os.environ.get(name, "").strip()
    return "" if value == "0" else value


def extension(name, c_files):
    compile_args, link_args, macros = list(COMPILE), ["-pthread"], []
    if switch("RRL_DEBUG"):
        macros.append(("RRL_DEBUG", switch("RRL_DEBUG")))
        compile_args.append("-g")
    if switch("RRL_SANITIZE"):
        sanitizer = f"-fsanitize={switch('RRL_SANITIZE')}"
        compile_args += [sanitizer, "-g", "-O1", "-fno-omit-frame-pointer"]
        link_args.append(sanitizer)
    if switch("RRL_COVERAGE"):
        compile_args += ["--coverage", "-O0"]
        link_args.append("--coverage")
    return Extension(
        name,
        sources=[f"{name.replace('.', '/')}.pyx", *sorted(c_files)],
        depends=HEADERS,
        define_macros=macros,
        extra_compile_args=compile_args,
        extra_link_args=link_args,
    )


class BuildCore(build_ext):
    """Compiles files side by side, and only those that changed since the last build."""

    def finalize_options(self):
        super().finalize_options()
        # One place for objects, whoever builds: an editable install would take a temporary one.
        self.build_temp = f"build/temp.{self.plat_name}-{sysconfig.get_config_var('SOABI')}"

    def build_extensions(self):
        # Not before: an sdist needs no Cython, and has no generated C.
        # Cython overlooks what is cimported under another name.
        included = [path for path in HEADERS if path.endswith((".pxd", ".pxi"))]
        generated = [f"build/cython/{name.replace('.', '/')}.c" for name in EXTENSIONS]
        made = cythonize(
            list(self.extensions),
            build_dir="build/cython",
            language_level=3,
            force=not all(is_newer(path, included) for path in generated),
        )
        sources = {extension.name: extension.sources for extension in made}
        for extension in self.extensions:
            extension.sources = sources[extension.name]
        how = repr([switch(name) for name in SWITCHES] + [self.compiler.compiler_so, sys.version])
        record = Path(self.build_temp) / "how"
        if not record.exists() or record.read_text() != how:
            self.force = True
        self._compile = self.compiler.compile
        self.compiler.compile = self._compile_all
        super().build_extensions()
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(how)

    def _compile_all(self, sources, **options):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = pool.map(lambda source: self._compile_one(source, **options), sources)
            return [item for group in objects for item in group]

    def _compile_one(self, source, output_dir=None, extra_postargs=None, **options):
        objects = self.compiler.object_filenames([source], output_dir=output_dir)
        if not self.force and is_newer(objects[0], [source, *HEADERS]):
            return objects
        ours = source.startswith("csrc")
        flags = [*(extra_postargs or []), *(STRICT if ours and switch("RRL_STRICT") else [])]
        return self._compile([source], output_dir=output_dir, extra_postargs=flags, **options)


def is_newer(target, sources):
    if not os.path.exists(target):
        return False
    return os.path.getmtime(target) > max(map(os.path.getmtime, sources))


setup(
    ext_modules=[extension(name, c_files) for name, c_files in EXTENSIONS.items()],
    cmdclass={"build_ext": BuildCore},
)
