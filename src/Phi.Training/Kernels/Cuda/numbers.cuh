// Goes in front of every source of this folder: memory in vectors, and fp32, bfloat16 and IEEE half as bits.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

#define WHOLE_WARP 0xffffffffu
#define INFINITY_BITS 0x7f800000u

// Words of 32 bits from memory, in accesses of 8 or 16 bytes, or element by element where the address is not aligned for that.
// UNIT is what the address is aligned to, at least.
template <int WORDS, int UNIT>
__device__ __forceinline__ void LoadWords(const u8* memory, u32 (&words)[WORDS]) {
    if constexpr (WORDS % 4 == 0 && UNIT >= 16) {
#pragma unroll
        for (int i = 0; i < WORDS; i += 4) {
            const uint4 four = reinterpret_cast<const uint4*>(memory)[i / 4];
            words[i] = four.x, words[i + 1] = four.y, words[i + 2] = four.z, words[i + 3] = four.w;
        }
    } else if constexpr (WORDS == 2 && UNIT >= 8) {
        const uint2 all = *reinterpret_cast<const uint2*>(memory);
        words[0] = all.x, words[1] = all.y;
    } else {
#pragma unroll
        for (int i = 0; i < WORDS; i++) {
            if constexpr (UNIT >= 4) {
                words[i] = reinterpret_cast<const u32*>(memory)[i];
            } else if constexpr (UNIT == 2) {
                const u16* halves = reinterpret_cast<const u16*>(memory) + 2 * i;
                words[i] = halves[0] | static_cast<u32>(halves[1]) << 16;
            } else {
                const u8* bytes = memory + 4 * i;
                words[i] = bytes[0] | static_cast<u32>(bytes[1]) << 8 | static_cast<u32>(bytes[2]) << 16 | static_cast<u32>(bytes[3]) << 24;
            }
        }
    }
}

template <int WORDS, int UNIT>
__device__ __forceinline__ void StoreWords(u8* memory, const u32 (&words)[WORDS]) {
    if constexpr (WORDS % 4 == 0 && UNIT >= 16) {
#pragma unroll
        for (int i = 0; i < WORDS; i += 4) reinterpret_cast<uint4*>(memory)[i / 4] = make_uint4(words[i], words[i + 1], words[i + 2], words[i + 3]);
    } else if constexpr (WORDS == 2 && UNIT >= 8) {
        *reinterpret_cast<uint2*>(memory) = make_uint2(words[0], words[1]);
    } else {
#pragma unroll
        for (int i = 0; i < WORDS; i++) {
            if constexpr (UNIT >= 4) {
                reinterpret_cast<u32*>(memory)[i] = words[i];
            } else if constexpr (UNIT == 2) {
                u16* halves = reinterpret_cast<u16*>(memory) + 2 * i;
                halves[0] = static_cast<u16>(words[i]);
                halves[1] = static_cast<u16>(words[i] >> 16);
            } else {
                u8* bytes = memory + 4 * i;
                bytes[0] = static_cast<u8>(words[i]);
                bytes[1] = static_cast<u8>(words[i] >> 8);
                bytes[2] = static_cast<u8>(words[i] >> 16);
                bytes[3] = static_cast<u8>(words[i] >> 24);
            }
        }
    }
}

// Pairs of 16-bit values, the first in the low half. The GPU converts in one instruction; the integer arithmetic is what it must equal, and
// what runs where there is no GPU. Rounding is to nearest even, above the range is infinity, not-a-number stays one (which one may differ).
#ifdef __CUDA_ARCH__

__device__ __forceinline__ u32 PackBfloat16(float low, float high) {
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ u32 PackHalf(float low, float high) {
    u32 pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ void UnpackHalf(u32 pair, float& low, float& high) {
    asm("{.reg .b16 l, h; mov.b32 {l, h}, %2; cvt.f32.f16 %0, l; cvt.f32.f16 %1, h;}" : "=f"(low), "=f"(high) : "r"(pair));
}

#else

inline u32 ToBfloat16(float x) {
    const u32 bits = __float_as_uint(x);
    const u32 rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
    return (bits & 0x7fffffffu) > INFINITY_BITS ? bits >> 16 | 0x40u : rounded;
}

inline u32 ToHalf(float x) {
    const u32 bits = __float_as_uint(x);
    const u32 magnitude = bits & 0x7fffffffu;
    // Below 2^-14 the steps are 2^-24, which are those of fp32 from a half on: the addition rounds.
    const u32 small = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000u;
    const u32 normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    const u32 finite = magnitude < 0x38800000u ? small : normal;
    const u32 special = magnitude > INFINITY_BITS ? 0x7e00u | (magnitude >> 13 & 0x3ffu) : 0x7c00u;
    return (bits >> 16 & 0x8000u) | (magnitude < 0x47800000u ? finite : special);
}

inline float FromHalf(u32 bits) {
    const u32 magnitude = bits & 0x7fffu;
    const u32 normal = (magnitude << 13) + (magnitude < 0x7c00u ? 0x38000000u : 0x70000000u);
    // A subnormal's steps are those of fp32 from 2^-14 on: the subtraction is exact.
    const u32 small = __float_as_uint(__uint_as_float((magnitude << 13) + 0x38800000u) - __uint_as_float(0x38800000u));
    return __uint_as_float((bits & 0x8000u) << 16 | (magnitude < 0x400u ? small : normal));
}

inline u32 PackBfloat16(float low, float high) { return ToBfloat16(low) | ToBfloat16(high) << 16; }

inline u32 PackHalf(float low, float high) { return ToHalf(low) | ToHalf(high) << 16; }

inline void UnpackHalf(u32 pair, float& low, float& high) {
    low = FromHalf(pair & 0xffffu);
    high = FromHalf(pair >> 16);
}

#endif

__device__ __forceinline__ float FromBfloat16(u32 bits) { return __uint_as_float(bits << 16); }

// A precision: bytes of a value, values of one 16-byte access, and the way from and to words of 32 bits.
struct Fp32 {
    static constexpr int Bytes = 4;
    static constexpr int Vector = 4;

    template <int COUNT>
    static __device__ __forceinline__ void Unpack(const u32 (&words)[COUNT], float (&x)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) x[i] = __uint_as_float(words[i]);
    }

    template <int COUNT>
    static __device__ __forceinline__ void Pack(const float (&x)[COUNT], u32 (&words)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) words[i] = __float_as_uint(x[i]);
    }
};

struct Bf16 {
    static constexpr int Bytes = 2;
    static constexpr int Vector = 8;

    template <int COUNT>
    static __device__ __forceinline__ void Unpack(const u32 (&words)[COUNT / 2], float (&x)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) {
            x[i] = FromBfloat16(words[i / 2]);
            x[i + 1] = __uint_as_float(words[i / 2] & 0xffff0000u);
        }
    }

    template <int COUNT>
    static __device__ __forceinline__ void Pack(const float (&x)[COUNT], u32 (&words)[COUNT / 2]) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) words[i / 2] = PackBfloat16(x[i], x[i + 1]);
    }
};

struct Fp16 {
    static constexpr int Bytes = 2;
    static constexpr int Vector = 8;

    template <int COUNT>
    static __device__ __forceinline__ void Unpack(const u32 (&words)[COUNT / 2], float (&x)[COUNT]) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) UnpackHalf(words[i / 2], x[i], x[i + 1]);
    }

    template <int COUNT>
    static __device__ __forceinline__ void Pack(const float (&x)[COUNT], u32 (&words)[COUNT / 2]) {
#pragma unroll
        for (int i = 0; i < COUNT; i += 2) words[i / 2] = PackHalf(x[i], x[i + 1]);
    }
};

// COUNT values from index on, in one access where WIDE.
template <class T, bool WIDE, int COUNT>
__device__ __forceinline__ void LoadValues(const u8* values, i64 index, float (&x)[COUNT]) {
    u32 words[COUNT * T::Bytes / 4];
    LoadWords<COUNT * T::Bytes / 4, WIDE ? 16 : T::Bytes>(values + index * T::Bytes, words);
    T::template Unpack<COUNT>(words, x);
}

template <class T, bool WIDE, int COUNT>
__device__ __forceinline__ void StoreValues(u8* values, i64 index, const float (&x)[COUNT]) {
    u32 words[COUNT * T::Bytes / 4];
    T::template Pack<COUNT>(x, words);
    StoreWords<COUNT * T::Bytes / 4, WIDE ? 16 : T::Bytes>(values + index * T::Bytes, words);
}
