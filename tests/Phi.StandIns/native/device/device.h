// CUDA C on the CPU: what NVRTC has built in, as far as the product's kernels use it. Included before every kernel source.
#pragma once
#include <math.h>

#include <tuple>
#include <utility>

#include "fibers.h"

#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __shared__ static thread_local
#define __constant__ static const
#define threadIdx (standin::block.current->thread)
#define blockIdx (standin::block.index)
#define blockDim (standin::block.block_dim)
#define gridDim (standin::block.grid_dim)
#define warpSize 32

struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };

inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

template <class To, class From>
inline To StandInBits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof(to));
    return to;
}

inline unsigned __float_as_uint(float x) { return StandInBits<unsigned>(x); }
inline int __float_as_int(float x) { return StandInBits<int>(x); }
inline float __uint_as_float(unsigned x) { return StandInBits<float>(x); }
inline float __int_as_float(int x) { return StandInBits<float>(x); }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }

// Byte i of the result is byte (selector >> 4i) & 7 of the eight bytes b:a.
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    uint64_t bytes = static_cast<uint64_t>(b) << 32 | a;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) result |= static_cast<unsigned>(bytes >> 8 * (selector >> 4 * i & 7) & 0xff) << 8 * i;
    return result;
}

namespace standin {

template <class T>
inline T Exchange(unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    auto lane = block.current;
    if (mask != 0xffffffffu) {
        fprintf(stderr, "stand-in kernel: a shuffle has the mask %08x; only whole warps are emulated\n", mask);
        __builtin_trap();
    }
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    auto slots = Meet(block.warps[lane->warp], lane->index, bits);
    memcpy(&value, &slots[from], sizeof(T));
    return value;
}

template <auto Function>
struct Trampoline;

template <class... Parameters, void (*Function)(Parameters...)>
struct Trampoline<Function> {
    using Arguments = std::tuple<Parameters...>;

    template <size_t... Index>
    static void* Pack(void** arguments, std::index_sequence<Index...>) {
        return new Arguments(*static_cast<std::tuple_element_t<Index, Arguments>*>(arguments[Index])...);
    }

    static void* pack(void** arguments) { return Pack(arguments, std::index_sequence_for<Parameters...>()); }

    static void release(void* packed) { delete static_cast<Arguments*>(packed); }

    static bool run(void* packed, StandInDim grid, StandInDim dim) {
        block.grid_dim = grid;
        block.block_dim = dim;
        block.lanes = dim.x * dim.y * dim.z;
        block.argument = packed;
        block.job = [](void* argument) { std::apply(Function, *static_cast<Arguments*>(argument)); };
        for (block.index.z = 0; block.index.z < grid.z; block.index.z++) {
            for (block.index.y = 0; block.index.y < grid.y; block.index.y++) {
                for (block.index.x = 0; block.index.x < grid.x; block.index.x++) {
                    if (!RunBlock()) return false;
                }
            }
        }
        return true;
    }
};

template <auto Function>
constexpr StandInKernel Describe() { return {Trampoline<Function>::pack, Trampoline<Function>::release, Trampoline<Function>::run}; }

}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask) { return standin::Exchange(mask, value, standin::block.current->index ^ static_cast<unsigned>(lane_mask)); }

template <class T>
inline T __shfl_sync(unsigned mask, T value, int lane) { return standin::Exchange(mask, value, static_cast<unsigned>(lane) % 32); }

template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta) {
    unsigned from = standin::block.current->index + delta;
    return standin::Exchange(mask, value, from < 32 ? from : standin::block.current->index);
}

inline void __syncwarp(unsigned mask = 0xffffffffu) { standin::Exchange(mask, 0u, 0); }

inline void __syncthreads() { standin::Meet(standin::block.all, 0, 0); }

template <class T>
inline T __ldg(const T* memory) { return *memory; }
