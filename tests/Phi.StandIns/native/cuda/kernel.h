// What a library of kernels, built by the stand-in of NVRTC, exports for each of its kernels, as stand_in_kernel_NAME.
#pragma once

struct StandInDim {
    unsigned x, y, z;
};

struct StandInKernel {
    // Copies the arguments, which the caller may change as soon as its launch returns.
    void* (*pack)(void** arguments);
    void (*release)(void* packed);
    // False: the lanes of a warp or block waited for lanes that never came.
    bool (*run)(void* packed, StandInDim grid, StandInDim block);
};

// An image is this text and the library's path, ended by a zero.
#define STAND_IN_IMAGE "phi-stand-in-image:"
