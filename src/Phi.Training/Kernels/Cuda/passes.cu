// Passes over flat memory of count values: conversion, addition, sum of squares, AdamW. Each value of each is one IEEE operation after
// another, as on the CPU.

constexpr int Threads = 256;
// Of the first stage of the sum of squares, which must not depend on the device: the order of additions is the result's bits.
constexpr int LargestSumBlocks = 1024;

// Calls work(index of the first of VECTOR values) for all whole vectors, and rest(index) for each value behind them.
template <int VECTOR, class WORK, class REST>
__device__ __forceinline__ void ForVectors(i64 count, WORK work, REST rest) {
    const i64 thread = blockIdx.x * static_cast<i64>(Threads) + threadIdx.x;
    for (i64 vector = thread; vector < count / VECTOR; vector += gridDim.x * static_cast<i64>(Threads)) work(vector * VECTOR);
    if (thread < count % VECTOR) rest(count / VECTOR * VECTOR + thread);
}

template <class T>
__device__ __forceinline__ float LoadOne(const u8* values, i64 index) {
    if constexpr (T::Bytes == 4) {
        return reinterpret_cast<const float*>(values)[index];
    } else {
        // Twice the value: whole words are what a precision unpacks.
        const u32 word[1] = {reinterpret_cast<const u16*>(values)[index] * 0x10001u};
        float both[2];
        T::template Unpack<2>(word, both);
        return both[0];
    }
}

template <class T>
__device__ __forceinline__ void StoreOne(u8* values, i64 index, float x) {
    if constexpr (T::Bytes == 4) {
        reinterpret_cast<float*>(values)[index] = x;
    } else {
        const float both[2] = {x, x};
        u32 word[1];
        T::template Pack<2>(both, word);
        reinterpret_cast<u16*>(values)[index] = static_cast<u16>(word[0]);
    }
}

struct ConvertArguments {
    const u8* from;
    u8* to;
    i64 count;
};

template <class FROM, class TO, bool WIDE>
__device__ __forceinline__ void Convert(const ConvertArguments& a) {
    constexpr int Vector = FROM::Vector < TO::Vector ? FROM::Vector : TO::Vector;
    ForVectors<Vector>(
        a.count,
        [&](i64 index) {
            float x[Vector];
            LoadValues<FROM, WIDE>(a.from, index, x);
            StoreValues<TO, WIDE>(a.to, index, x);
        },
        [&](i64 index) { StoreOne<TO>(a.to, index, LoadOne<FROM>(a.from, index)); });
}

struct AddArguments {
    const u8* values;
    u8* sums;
    i64 count;
};

template <bool WIDE>
__device__ __forceinline__ void Add(const AddArguments& a) {
    ForVectors<4>(
        a.count,
        [&](i64 index) {
            float x[4], sum[4];
            LoadValues<Fp32, WIDE>(a.values, index, x);
            LoadValues<Fp32, WIDE>(a.sums, index, sum);
#pragma unroll
            for (int i = 0; i < 4; i++) sum[i] = sum[i] + x[i];
            StoreValues<Fp32, WIDE>(a.sums, index, sum);
        },
        [&](i64 index) { StoreOne<Fp32>(a.sums, index, LoadOne<Fp32>(a.sums, index) + LoadOne<Fp32>(a.values, index)); });
}

struct SumArguments {
    const u8* values;
    double* partial;  // [blocks of the first stage]
    float* result;
    i64 count;
    int blocks;
};

// The sum over the threads of a block, in an order that never changes; right in thread 0.
__device__ __forceinline__ double BlockSum(double sum) {
    __shared__ double warps[Threads / 32];
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(WHOLE_WARP, sum, distance);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0.0;
#pragma unroll
    for (int warp = 0; warp < Threads / 32; warp++) sum += warps[warp];
    return sum;
}

// In fp64, where a square of an fp32 is exact.
template <bool WIDE>
__device__ __forceinline__ void SumOfSquares(const SumArguments& a) {
    double sum = 0.0;
    ForVectors<4>(
        a.count,
        [&](i64 index) {
            float x[4];
            LoadValues<Fp32, WIDE>(a.values, index, x);
#pragma unroll
            for (int i = 0; i < 4; i++) sum += static_cast<double>(x[i]) * x[i];
        },
        [&](i64 index) {
            const float x = LoadOne<Fp32>(a.values, index);
            sum += static_cast<double>(x) * x;
        });
    sum = BlockSum(sum);
    if (threadIdx.x == 0) a.partial[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(Threads) sum_of_partial_sums(const SumArguments a) {
    double sum = 0.0;
#pragma unroll
    for (int i = 0; i < LargestSumBlocks / Threads; i++) {
        const int index = i * Threads + threadIdx.x;
        sum += index < a.blocks ? a.partial[index] : 0.0;
    }
    sum = BlockSum(sum);
    if (threadIdx.x == 0) *a.result = static_cast<float>(sum);
}

struct AdamWArguments {
    u8* weights;
    const u8* gradients;
    u8* first_moments;
    u8* second_moments;
    i64 count;
    float gradient_scale, beta1, beta2, rest1, rest2, epsilon, decay, step_size, correction2;
};

__device__ __forceinline__ void UpdateOne(const AdamWArguments& a, float& weight, float gradient, float& first, float& second) {
    const float g = gradient * a.gradient_scale;
    first = first * a.beta1 + g * a.rest1;
    second = second * a.beta2 + g * g * a.rest2;
    weight = weight * a.decay - first * a.step_size / (sqrtf(second) * a.correction2 + a.epsilon);
}

template <bool WIDE>
__device__ __forceinline__ void Update(const AdamWArguments& a) {
    ForVectors<4>(
        a.count,
        [&](i64 index) {
            float weight[4], gradient[4], first[4], second[4];
            LoadValues<Fp32, WIDE>(a.weights, index, weight);
            LoadValues<Fp32, WIDE>(a.gradients, index, gradient);
            LoadValues<Fp32, WIDE>(a.first_moments, index, first);
            LoadValues<Fp32, WIDE>(a.second_moments, index, second);
#pragma unroll
            for (int i = 0; i < 4; i++) UpdateOne(a, weight[i], gradient[i], first[i], second[i]);
            StoreValues<Fp32, WIDE>(a.weights, index, weight);
            StoreValues<Fp32, WIDE>(a.first_moments, index, first);
            StoreValues<Fp32, WIDE>(a.second_moments, index, second);
        },
        [&](i64 index) {
            float weight = LoadOne<Fp32>(a.weights, index), first = LoadOne<Fp32>(a.first_moments, index), second = LoadOne<Fp32>(a.second_moments, index);
            UpdateOne(a, weight, LoadOne<Fp32>(a.gradients, index), first, second);
            StoreOne<Fp32>(a.weights, index, weight);
            StoreOne<Fp32>(a.first_moments, index, first);
            StoreOne<Fp32>(a.second_moments, index, second);
        });
}

#define KERNEL(NAME, ARGUMENTS, BODY) \
    extern "C" __global__ void __launch_bounds__(Threads) NAME##_wide(const ARGUMENTS a) { constexpr bool WIDE = true; BODY; } \
    extern "C" __global__ void __launch_bounds__(Threads) NAME##_any(const ARGUMENTS a) { constexpr bool WIDE = false; BODY; }

KERNEL(convert_fp32_bf16, ConvertArguments, (Convert<Fp32, Bf16, WIDE>(a)))
KERNEL(convert_fp32_fp16, ConvertArguments, (Convert<Fp32, Fp16, WIDE>(a)))
KERNEL(convert_bf16_fp32, ConvertArguments, (Convert<Bf16, Fp32, WIDE>(a)))
KERNEL(convert_bf16_fp16, ConvertArguments, (Convert<Bf16, Fp16, WIDE>(a)))
KERNEL(convert_fp16_fp32, ConvertArguments, (Convert<Fp16, Fp32, WIDE>(a)))
KERNEL(convert_fp16_bf16, ConvertArguments, (Convert<Fp16, Bf16, WIDE>(a)))
KERNEL(add, AddArguments, (Add<WIDE>(a)))
KERNEL(sum_of_squares, SumArguments, (SumOfSquares<WIDE>(a)))
KERNEL(update, AdamWArguments, (Update<WIDE>(a)))
