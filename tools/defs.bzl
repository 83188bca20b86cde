"""Rules for Tapline's own code: its include paths and its warnings, nothing else.

They also work when Tapline is an external repository (`@tapline//:taps`).
"""

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wpedantic",
    "-Wshadow",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
]

_GTEST = Label("//tools/system:gtest")
_GTEST_MAIN = Label("//tools/system:gtest_main")

def _copts(extra):
    # A service that builds Tapline as an external repository, perhaps with another compiler,
    # must not fail on a warning it cannot fix.
    werror = ["-Werror"] if native.repository_name() == "@" else []
    return _WARNINGS + werror + extra

def taps_library(name, copts = [], **kwargs):
    """A cc_library whose headers are included as "taps/<package>/<header>"."""
    native.cc_library(
        name = name,
        copts = _copts(copts),
        include_prefix = "taps/" + native.package_name(),
        **kwargs
    )

def taps_binary(name, copts = [], **kwargs):
    """A cc_binary with our warnings."""
    native.cc_binary(
        name = name,
        copts = _copts(copts),
        **kwargs
    )

def taps_test(name, deps = [], copts = [], main = True, size = "small", **kwargs):
    """A GoogleTest binary.

    Args:
      name: target name.
      deps: libraries under test; GoogleTest (with GoogleMock) is added.
      copts: further compiler options.
      main: link GoogleTest's main(); False for a test that brings its own.
      size: Bazel's test size; raise it for a test that takes minutes.
      **kwargs: passed to cc_test.
    """
    native.cc_test(
        name = name,
        size = size,
        copts = _copts(copts),
        deps = deps + [_GTEST_MAIN if main else _GTEST],
        **kwargs
    )

def taps_fuzz_test(name, deps = [], copts = [], size = "small", **kwargs):
    """A fuzz target: its source defines LLVMFuzzerTestOneInput.

    An ordinary test runs 10,000 random inputs from a printed seed; with --config=fuzz it is
    libFuzzer's, for 20 seconds under the sanitizers.

    Args:
      name: target name.
      deps: libraries under test.
      copts: further compiler options.
      size: Bazel's test size.
      **kwargs: passed to cc_test.
    """
    libfuzzer = str(Label("//tools/fuzz:libfuzzer"))
    native.cc_test(
        name = name,
        size = size,
        copts = _copts(copts),
        args = select({
            libfuzzer: ["-max_total_time=20"],
            "//conditions:default": ["-runs=10000"],
        }),
        linkopts = select({
            libfuzzer: ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + select({
            libfuzzer: [],
            "//conditions:default": [Label("//tools/fuzz:driver")],
        }),
        **kwargs
    )
