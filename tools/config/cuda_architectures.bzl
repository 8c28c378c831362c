"""The GPUs that kernels are compiled for; nvcc's flags and //tools/doctor read this."""

# Compute capability x 10: "80" is A100, "86" RTX 30, "89" RTX 40 and L4, "90" H100 and H200.
CUDA_ARCHITECTURES = [
    "80",
    "90",
]

# Also kept as PTX, which a driver translates for what came out later.
CUDA_PTX_ARCHITECTURE = "90"

def cuda_architecture_copts():
    """For a source that tells what kernels were compiled for; nothing without --config=cuda."""
    return select({
        str(Label("//tools/config:cuda")): [
            "-DMASK2FORMER_CUDA_ARCHITECTURES=" + ",".join(CUDA_ARCHITECTURES),
            "-DMASK2FORMER_CUDA_PTX_ARCHITECTURE=" + CUDA_PTX_ARCHITECTURE,
        ],
        "//conditions:default": [],
    })
