// Symmetric quantisation by blocks: README.md has the layout. Compiled for one number of bits (BITS: 4 or 8) and one block size (BLOCK: a
// power of two from 64 to 2048), so that every loop over a block unrolls and its values stay in registers.

constexpr int Threads = 256;
constexpr int CodeBytes = BLOCK * BITS / 8;
constexpr float Smallest = 1e-35f;
constexpr u32 NaNScale = 0xffc0u;
// x + 1.5·2^23 is x rounded to nearest even, as an integer in the low bits: one addition at full rate where a conversion is not.
constexpr float Rounder = 12582912.0f;

struct Arguments {
    u8* values;
    u8* errors;    // fp32
    u8* encoded;   // of the first source
    u8* result;    // encoded, of the next hop
    i64 blocks;
    i64 stride;    // bytes from source to source
    int sources;
};

// How a block lies over the lanes of a warp. A part is VECTOR values in a row; a unit is one part, or where codes are paired (INT4: value
// j of 64 shares a byte with value j + 32) two parts 32 values apart. LANES lanes share a block; each holds UNITS units of it.
template <int VECTOR, bool PAIRED>
struct Layout {
    static constexpr int Parts = PAIRED ? 2 : 1;
    static constexpr int Unit = VECTOR * Parts;
    static constexpr int BlockUnits = BLOCK / Unit;
    static constexpr int Lanes = BlockUnits < 32 ? BlockUnits : 32;
    static constexpr int Units = BlockUnits / Lanes;
    static constexpr int WarpBlocks = 32 / Lanes;

    // First value of a part, from the block's first.
    static __device__ __forceinline__ int Offset(int unit, int part) {
        if constexpr (!PAIRED) return unit * VECTOR;
        constexpr int Row = 32 / VECTOR;
        return unit / Row * 64 + unit % Row * VECTOR + part * 32;
    }
};

// The lane's codes of one unit: bytes for INT8, nibbles for INT4.
template <int FROM, int VECTOR, bool PAIRED>
struct Codes {
    using Place = Layout<VECTOR, PAIRED>;
    static constexpr int PartWords = VECTOR / 4;
    static constexpr int Words = FROM == 8 ? PartWords * Place::Parts : PartWords;

    // codes is the block's.
    template <bool WIDE>
    static __device__ __forceinline__ void Load(const u8* codes, int unit, u32 (&words)[Words]) {
        constexpr int Access = WIDE ? VECTOR : 1;
        if constexpr (FROM == 4) {
            LoadWords<PartWords, Access>(codes + unit * VECTOR, words);
        } else {
#pragma unroll
            for (int part = 0; part < Place::Parts; part++) {
                u32 some[PartWords];
                LoadWords<PartWords, Access>(codes + Place::Offset(unit, part), some);
#pragma unroll
                for (int i = 0; i < PartWords; i++) words[part * PartWords + i] = some[i];
            }
        }
    }

    template <bool WIDE>
    static __device__ __forceinline__ void Store(u8* codes, int unit, const u32 (&words)[Words]) {
        constexpr int Access = WIDE ? VECTOR : 1;
        if constexpr (FROM == 4) {
            StoreWords<PartWords, Access>(codes + unit * VECTOR, words);
        } else {
#pragma unroll
            for (int part = 0; part < Place::Parts; part++) {
                u32 some[PartWords];
#pragma unroll
                for (int i = 0; i < PartWords; i++) some[i] = words[part * PartWords + i];
                StoreWords<PartWords, Access>(codes + Place::Offset(unit, part), some);
            }
        }
    }

    // A code as a byte of a float: 2^15 + code + what makes it positive.
    static constexpr float Bias = FROM == 8 ? 32768.0f + 128.0f : 32768.0f + 8.0f;
    static __device__ __forceinline__ float Biased(u32 word, int i) { return __uint_as_float(__byte_perm(word, 0x47000000u, 0x7404u | i << 4)); }

    // The words of a part as bytes, positive.
    static __device__ __forceinline__ u32 Positive(const u32 (&words)[Words], int part, int word) {
        if constexpr (FROM == 8) return words[part * PartWords + word] ^ 0x80808080u;
        return (words[word] >> 4 * part & 0x0f0f0f0fu) ^ 0x08080808u;
    }

    // A code's at most 7 bits times a scale's 8 are exact, and so is Bias times a scale: one fused step gives code · scale, without a
    // rounding. Where the product with Bias would be infinite, and where the scale is not a number, it takes two.
    static __device__ __forceinline__ void Decode(const u32 (&words)[Words], float scale, float (&x)[Place::Parts][VECTOR]) {
        const bool is_usual = scale < 1e34f;
        const float bias = Bias * -scale;
#pragma unroll
        for (int part = 0; part < Place::Parts; part++) {
#pragma unroll
            for (int word = 0; word < PartWords; word++) {
                const u32 bytes = Positive(words, part, word);
#pragma unroll
                for (int i = 0; i < 4; i++) x[part][4 * word + i] = __fmaf_rn(Biased(bytes, i), scale, bias);
            }
        }
        if (!is_usual) {
#pragma unroll
            for (int part = 0; part < Place::Parts; part++) {
#pragma unroll
                for (int word = 0; word < PartWords; word++) {
                    const u32 bytes = Positive(words, part, word);
#pragma unroll
                    for (int i = 0; i < 4; i++) x[part][4 * word + i] = (Biased(bytes, i) - Bias) * scale;
                }
            }
        }
    }

    // Takes x·inverse, rounded and added to Rounder.
    static __device__ __forceinline__ void Pack(const u32 (&rounded)[Place::Parts][VECTOR], u32 keep, u32 (&words)[Words]) {
        u32 bytes[Place::Parts][PartWords];
#pragma unroll
        for (int part = 0; part < Place::Parts; part++) {
#pragma unroll
            for (int word = 0; word < PartWords; word++) {
                const u32* four = &rounded[part][4 * word];
                bytes[part][word] = __byte_perm(__byte_perm(four[0], four[1], 0x0040u), __byte_perm(four[2], four[3], 0x0040u), 0x5410u) & keep;
                if constexpr (FROM == 8) words[part * PartWords + word] = bytes[part][word];
            }
        }
        if constexpr (FROM == 4) {
#pragma unroll
            for (int word = 0; word < PartWords; word++) words[word] = (bytes[0][word] & 0x0f0f0f0fu) | (bytes[Place::Parts - 1][word] & 0x0f0f0f0fu) << 4;
        }
    }
};

template <bool WIDE>
__device__ __forceinline__ float LoadScale(const u8* scales, i64 block) {
    if constexpr (WIDE) return FromBfloat16(reinterpret_cast<const u16*>(scales)[block]);
    return FromBfloat16(scales[2 * block] | static_cast<u32>(scales[2 * block + 1]) << 8);
}

template <bool WIDE>
__device__ __forceinline__ void StoreScale(u8* scales, i64 block, u32 scale) {
    if constexpr (WIDE) {
        reinterpret_cast<u16*>(scales)[block] = static_cast<u16>(scale);
    } else {
        scales[2 * block] = static_cast<u8>(scale);
        scales[2 * block + 1] = static_cast<u8>(scale >> 8);
    }
}

// What a block is encoded with.
struct Scale {
    u32 bits;       // bfloat16
    float inverse;
    u32 keep;       // no bits where the codes are zero: the block is too small, or holds an infinity or a NaN
};

// largest: bits of the lane's largest magnitude. All lanes of a warp call it; the LANES lanes of a block get the same.
template <int TO, int LANES>
__device__ __forceinline__ Scale FindScale(u32 largest) {
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2) largest = max(largest, __shfl_xor_sync(WHOLE_WARP, largest, distance));
    const bool broken = largest >= INFINITY_BITS;
    Scale scale;
    scale.keep = broken || __uint_as_float(largest) < Smallest ? 0u : ~0u;
    // Rounded up, so that no value is above the largest code.
    const u32 rounded = (__float_as_uint(__uint_as_float(largest) / (TO == 8 ? 127.0f : 7.0f)) + 0xffffu) >> 16;
    scale.bits = broken ? NaNScale : rounded & scale.keep;
    scale.inverse = 1.0f / FromBfloat16(rounded);
    return scale;
}

// Encodes ROWS blocks for each group of lanes, from x; what was encoded is taken from x where it is kept as errors.
template <int TO, bool PAIRED, bool WIDE, bool ERRORS, int ROWS, int UNITS, int PARTS, int VECTOR>
__device__ __forceinline__ void EncodeRows(float (&x)[ROWS][UNITS][PARTS][VECTOR], u8* encoded, i64 blocks, i64 first, int member) {
    using Place = Layout<VECTOR, PAIRED>;
    using To = Codes<TO, VECTOR, PAIRED>;
    u8* scales = encoded + blocks * (BLOCK * TO / 8);
#pragma unroll
    for (int row = 0; row < ROWS; row++) {
        u32 largest = 0;
#pragma unroll
        for (int n = 0; n < UNITS; n++) {
#pragma unroll
            for (int part = 0; part < PARTS; part++) {
#pragma unroll
                for (int i = 0; i < VECTOR; i++) largest = max(largest, __float_as_uint(x[row][n][part][i]) & 0x7fffffffu);
            }
        }
        const Scale scale = FindScale<TO, Place::Lanes>(largest);
        const i64 block = first + row * Place::WarpBlocks;
        const bool inside = block < blocks;
        if (inside && member == 0) StoreScale<WIDE>(scales, block, scale.bits);
#pragma unroll
        for (int n = 0; n < UNITS; n++) {
            u32 rounded[PARTS][VECTOR];
            u32 words[To::Words];
#pragma unroll
            for (int part = 0; part < PARTS; part++) {
#pragma unroll
                for (int i = 0; i < VECTOR; i++) {
                    const float whole = x[row][n][part][i] * scale.inverse + Rounder;
                    rounded[part][i] = __float_as_uint(whole);
                    if constexpr (ERRORS) {
                        const float code = scale.keep ? whole - Rounder : 0.0f;
                        x[row][n][part][i] -= code * FromBfloat16(scale.bits);
                    }
                }
            }
            To::Pack(rounded, scale.keep, words);
            if (inside) To::template Store<WIDE>(encoded + block * (BLOCK * TO / 8), member + n * Place::Lanes, words);
        }
    }
}

// The lane's way over the blocks: in each turn its warp takes ROWS × WarpBlocks neighbours, of which the lane's group takes every
// WarpBlocks-th. All lanes of a warp take every turn, so that they can meet in it.
template <class PLACE, int ROWS>
struct Walk {
    static constexpr int Stretch = PLACE::WarpBlocks * ROWS;
    const int group = threadIdx.x % 32 / PLACE::Lanes;
    const int member = threadIdx.x % PLACE::Lanes;
    const i64 step = gridDim.x * static_cast<i64>(Threads / 32 * Stretch);
    i64 start = (blockIdx.x * static_cast<i64>(Threads / 32) + threadIdx.x / 32) * Stretch;
};

// The lane's part of a block, with its errors added; zeros behind the last block.
template <class T, bool WIDE, bool ERRORS, int UNITS, int PARTS, int VECTOR>
__device__ __forceinline__ void LoadBlock(const Arguments& a, i64 block, int member, float (&x)[UNITS][PARTS][VECTOR]) {
    using Place = Layout<VECTOR, PARTS == 2>;
    const bool inside = block < a.blocks;
#pragma unroll
    for (int n = 0; n < UNITS; n++) {
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            const i64 index = block * BLOCK + Place::Offset(member + n * Place::Lanes, part);
            if (inside) {
                LoadValues<T, WIDE>(a.values, index, x[n][part]);
            } else {
#pragma unroll
                for (int i = 0; i < VECTOR; i++) x[n][part][i] = 0.0f;
            }
            if constexpr (ERRORS) {
                float errors[VECTOR] = {};
                if (inside) LoadValues<Fp32, WIDE>(a.errors, index, errors);
#pragma unroll
                for (int i = 0; i < VECTOR; i++) x[n][part][i] = errors[i] + x[n][part][i];
            }
        }
    }
}

template <bool WIDE, int UNITS, int PARTS, int VECTOR>
__device__ __forceinline__ void StoreErrors(const Arguments& a, i64 block, int member, const float (&x)[UNITS][PARTS][VECTOR]) {
    using Place = Layout<VECTOR, PARTS == 2>;
    if (block < a.blocks) {
#pragma unroll
        for (int n = 0; n < UNITS; n++) {
#pragma unroll
            for (int part = 0; part < PARTS; part++) StoreValues<Fp32, WIDE>(a.errors, block * BLOCK + Place::Offset(member + n * Place::Lanes, part), x[n][part]);
        }
    }
}

template <class T, bool WIDE, bool ERRORS>
__device__ __forceinline__ void Encode(const Arguments& a) {
    // Errors are fp32 and most of the bytes: their vectors set the layout.
    constexpr int Vector = ERRORS ? 4 : T::Vector;
    using Place = Layout<Vector, BITS == 4>;
    // At least four vectors a lane on their way from memory.
    constexpr int Loads = Place::Units * Place::Parts;
    constexpr int Rows = Loads < 4 ? 4 / Loads : 1;
    for (Walk<Place, Rows> walk; walk.start < a.blocks; walk.start += walk.step) {
        const i64 first = walk.start + walk.group;
        float x[Rows][Place::Units][Place::Parts][Vector];
#pragma unroll
        for (int row = 0; row < Rows; row++) {
            const i64 block = first + row * Place::WarpBlocks;
            LoadBlock<T, WIDE, ERRORS>(a, block, walk.member, x[row]);
        }
        EncodeRows<BITS, BITS == 4, WIDE, ERRORS>(x, a.encoded, a.blocks, first, walk.member);
        if constexpr (ERRORS) {
#pragma unroll
            for (int row = 0; row < Rows; row++) StoreErrors<WIDE>(a, first + row * Place::WarpBlocks, walk.member, x[row]);
        }
    }
}

// Decodes a unit of each source and adds it to sum, in the sources' order; those of four sources are on their way at a time.
template <bool PAIRED, bool WIDE, int PARTS, int VECTOR>
__device__ __forceinline__ void SumUnit(const Arguments& a, i64 block, int unit, float (&sum)[PARTS][VECTOR]) {
    using From = Codes<BITS, VECTOR, PAIRED>;
    constexpr int Together = 4;
    // To which the first is added without a change: x + -0 is x, for zeros of both signs too.
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
#pragma unroll
        for (int i = 0; i < VECTOR; i++) sum[part][i] = -0.0f;
    }
    const u8* from = a.encoded;
    for (int source = 0; source < a.sources; source += Together, from += Together * a.stride) {
        u32 words[Together][From::Words];
        float scale[Together];
#pragma unroll
        for (int next = 0; next < Together; next++) {
            if (source + next < a.sources) {
                From::template Load<WIDE>(from + next * a.stride + block * CodeBytes, unit, words[next]);
                scale[next] = LoadScale<WIDE>(from + next * a.stride + a.blocks * CodeBytes, block);
            }
        }
#pragma unroll
        for (int next = 0; next < Together; next++) {
            if (source + next < a.sources) {
                float x[PARTS][VECTOR];
                From::Decode(words[next], scale[next], x);
#pragma unroll
                for (int part = 0; part < PARTS; part++) {
#pragma unroll
                    for (int i = 0; i < VECTOR; i++) sum[part][i] = sum[part][i] + x[part][i];
                }
            }
        }
    }
}

// One source to any precision: units side by side over the threads, four of each on their way.
template <class T, bool WIDE>
__device__ __forceinline__ void Decode(const Arguments& a) {
    using Place = Layout<T::Vector, BITS == 4>;
    using From = Codes<BITS, T::Vector, BITS == 4>;
    constexpr int Turns = 4 / Place::Parts;
    const u64 units = static_cast<u64>(a.blocks) * Place::BlockUnits;
    const u8* scales = a.encoded + a.blocks * CodeBytes;
    for (u64 start = blockIdx.x * static_cast<u64>(Threads * Turns); start < units; start += gridDim.x * static_cast<u64>(Threads * Turns)) {
        u32 words[Turns][From::Words];
        float scale[Turns];
#pragma unroll
        for (int turn = 0; turn < Turns; turn++) {
            const u64 unit = start + turn * Threads + threadIdx.x;
            if (unit < units) {
                From::template Load<WIDE>(a.encoded + unit / Place::BlockUnits * CodeBytes, static_cast<int>(unit % Place::BlockUnits), words[turn]);
                scale[turn] = LoadScale<WIDE>(scales, unit / Place::BlockUnits);
            }
        }
#pragma unroll
        for (int turn = 0; turn < Turns; turn++) {
            const u64 unit = start + turn * Threads + threadIdx.x;
            if (unit < units) {
                float x[Place::Parts][T::Vector];
                From::Decode(words[turn], scale[turn], x);
#pragma unroll
                for (int part = 0; part < Place::Parts; part++) {
                    StoreValues<T, WIDE>(a.values, unit / Place::BlockUnits * BLOCK + Place::Offset(static_cast<int>(unit % Place::BlockUnits), part), x[part]);
                }
            }
        }
    }
}

template <bool WIDE>
__device__ __forceinline__ void DecodeSum(const Arguments& a) {
    constexpr int Vector = 8;
    using Place = Layout<Vector, BITS == 4>;
    const u64 units = static_cast<u64>(a.blocks) * Place::BlockUnits;
    for (u64 unit = blockIdx.x * static_cast<u64>(Threads) + threadIdx.x; unit < units; unit += gridDim.x * static_cast<u64>(Threads)) {
        const i64 block = unit / Place::BlockUnits;
        const int place = static_cast<int>(unit % Place::BlockUnits);
        float sum[Place::Parts][Vector];
        SumUnit<BITS == 4, WIDE>(a, block, place, sum);
#pragma unroll
        for (int part = 0; part < Place::Parts; part++) StoreValues<Fp32, WIDE>(a.values, block * BLOCK + Place::Offset(place, part), sum[part]);
    }
}

template <int NEXT, bool WIDE>
__device__ __forceinline__ void DecodeSumEncode(const Arguments& a) {
    constexpr bool Paired = BITS == 4 || NEXT == 4;
    using Place = Layout<8, Paired>;
    for (Walk<Place, 1> walk; walk.start < a.blocks; walk.start += walk.step) {
        const i64 block = walk.start + walk.group;
        float sum[1][Place::Units][Place::Parts][8] = {};
        if (block < a.blocks) {
#pragma unroll
            for (int n = 0; n < Place::Units; n++) SumUnit<Paired, WIDE>(a, block, walk.member + n * Place::Lanes, sum[0][n]);
        }
        EncodeRows<NEXT, Paired, WIDE, false>(sum, a.result, a.blocks, block, walk.member);
    }
}

#define KERNEL(NAME, BODY) \
    extern "C" __global__ void __launch_bounds__(Threads) NAME##_wide(const Arguments a) { constexpr bool WIDE = true; BODY; } \
    extern "C" __global__ void __launch_bounds__(Threads) NAME##_any(const Arguments a) { constexpr bool WIDE = false; BODY; }

KERNEL(encode_fp32, (Encode<Fp32, WIDE, false>(a)))
KERNEL(encode_bf16, (Encode<Bf16, WIDE, false>(a)))
KERNEL(encode_fp16, (Encode<Fp16, WIDE, false>(a)))
KERNEL(encode_keeping_errors_fp32, (Encode<Fp32, WIDE, true>(a)))
KERNEL(encode_keeping_errors_bf16, (Encode<Bf16, WIDE, true>(a)))
KERNEL(encode_keeping_errors_fp16, (Encode<Fp16, WIDE, true>(a)))
KERNEL(decode_fp32, (Decode<Fp32, WIDE>(a)))
KERNEL(decode_bf16, (Decode<Bf16, WIDE>(a)))
KERNEL(decode_fp16, (Decode<Fp16, WIDE>(a)))
KERNEL(decode_sum, (DecodeSum<WIDE>(a)))
KERNEL(decode_sum_encode_4, (DecodeSumEncode<4, WIDE>(a)))
KERNEL(decode_sum_encode_8, (DecodeSumEncode<8, WIDE>(a)))
