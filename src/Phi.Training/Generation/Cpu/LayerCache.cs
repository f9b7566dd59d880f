using System.Runtime.Intrinsics;

namespace Phi.Training.Generation.Cpu;

/// <summary>
/// One layer's keys and values of every slot, and attention over them. Keys lie in blocks of 16 positions, [slot, head, T / 16, K, 16], so
/// that a query meets 16 of them at once; values as [slot, head, T, K], K a multiple of 16.
/// </summary>
internal sealed unsafe class LayerCache : IDisposable
{
    private readonly int _headSize;
    private readonly int _valueSize;
    private readonly int _positions;
    private readonly int _heads;
    private readonly float _scale;
    private readonly FloatMemory _keys;
    private readonly FloatMemory _values;

    public LayerCache(ModelConfiguration model, int slots)
    {
        (_heads, _headSize, _valueSize, _positions) = (model.Heads, model.HeadSize, Lanes.RoundUp(model.HeadSize, Lanes.Count), Lanes.RoundUp(model.SequenceLength, Lanes.Count));
        _scale = 1 / MathF.Sqrt(_headSize);
        _keys = new FloatMemory((long)slots * _heads * _positions * _headSize);
        _values = new FloatMemory((long)slots * _heads * _positions * _valueSize);
    }

    /// <summary>Keeps a head's key and value [K] of a position.</summary>
    public void Put(int slot, int head, int position, float* key, float* value)
    {
        var keys = Keys(slot, head) + (long)(position / Lanes.Count) * _headSize * Lanes.Count + position % Lanes.Count;
        for (var k = 0; k < _headSize; k++)
        {
            keys[k * Lanes.Count] = key[k];
        }

        new ReadOnlySpan<float>(value, _headSize).CopyTo(new Span<float>(Values(slot, head) + (long)position * _valueSize, _headSize));
    }

    /// <summary>The first positions of one slot become those of another.</summary>
    public void Copy(int from, int to, int positions)
    {
        var keys = (long)Lanes.RoundUp(positions, Lanes.Count) * _headSize * sizeof(float);
        var values = (long)positions * _valueSize * sizeof(float);
        for (var head = 0; head < _heads; head++)
        {
            Buffer.MemoryCopy(Keys(from, head), Keys(to, head), keys, keys);
            Buffer.MemoryCopy(Values(from, head), Values(to, head), values, values);
        }
    }

    /// <summary>A head's attention of a query [K] over the slot's first positions.</summary>
    /// <param name="scores">Room for as many as the cache has positions.</param>
    /// <param name="result">[K].</param>
    public void Attend(int slot, int head, int positions, float* query, float* scores, float* result)
    {
        Score(query, Keys(slot, head), (positions + Lanes.Count - 1) / Lanes.Count, scores);
        var sum = Lanes.Exponentials(scores, positions, _scale);
        var sums = stackalloc float[Lanes.Count];
        var values = Values(slot, head);
        for (var k = 0; k < _headSize; k += Lanes.Count)
        {
            // Four chains, so that one need not wait for its last addition; each has its own positions, whatever else is computed.
            Vector512<float> a = default, b = default, c = default, d = default;
            var position = 0;
            for (; position <= positions - 4; position += 4)
            {
                var v = values + (long)position * _valueSize + k;
                a = Vector512.FusedMultiplyAdd(Vector512.Create(scores[position]), Vector512.Load(v), a);
                b = Vector512.FusedMultiplyAdd(Vector512.Create(scores[position + 1]), Vector512.Load(v + _valueSize), b);
                c = Vector512.FusedMultiplyAdd(Vector512.Create(scores[position + 2]), Vector512.Load(v + 2 * _valueSize), c);
                d = Vector512.FusedMultiplyAdd(Vector512.Create(scores[position + 3]), Vector512.Load(v + 3 * _valueSize), d);
            }

            for (; position < positions; position++)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.Create(scores[position]), Vector512.Load(values + (long)position * _valueSize + k), a);
            }

            Vector512.Store((a + b + (c + d)) / Vector512.Create(sum), sums);
            new ReadOnlySpan<float>(sums, Math.Min(Lanes.Count, _headSize - k)).CopyTo(new Span<float>(result + k, Lanes.Count));
        }
    }

    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }

    /// <summary>Products of the query with the keys of each block.</summary>
    private void Score(float* query, float* keys, int blocks, float* scores)
    {
        nint size = _headSize * Lanes.Count;
        var block = 0;
        for (; block <= blocks - 4; block += 4, keys += 4 * size, scores += 4 * Lanes.Count)
        {
            Vector512<float> a = default, b = default, c = default, d = default;
            var key = keys;
            for (var k = 0; k < _headSize; k++, key += Lanes.Count)
            {
                var q = Vector512.Create(query[k]);
                a = Vector512.FusedMultiplyAdd(q, Vector512.Load(key), a);
                b = Vector512.FusedMultiplyAdd(q, Vector512.Load(key + size), b);
                c = Vector512.FusedMultiplyAdd(q, Vector512.Load(key + 2 * size), c);
                d = Vector512.FusedMultiplyAdd(q, Vector512.Load(key + 3 * size), d);
            }

            Vector512.Store(a, scores);
            Vector512.Store(b, scores + Lanes.Count);
            Vector512.Store(c, scores + 2 * Lanes.Count);
            Vector512.Store(d, scores + 3 * Lanes.Count);
        }

        for (; block < blocks; block++, keys += size, scores += Lanes.Count)
        {
            Vector512<float> a = default;
            for (var k = 0; k < _headSize; k++)
            {
                a = Vector512.FusedMultiplyAdd(Vector512.Create(query[k]), Vector512.Load(keys + k * Lanes.Count), a);
            }

            Vector512.Store(a, scores);
        }
    }

    private float* Keys(int slot, int head) => _keys.Address + ((long)slot * _heads + head) * _positions * _headSize;

    private float* Values(int slot, int head) => _values.Address + ((long)slot * _heads + head) * _positions * _valueSize;
}
