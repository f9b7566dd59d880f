using Phi.Checkpoints.Weights;
using Phi.Training.Model;

namespace Phi.Training.Generation.Cpu;

/// <summary>
/// <see cref="ICachedForward"/> on the CPU. A row's numbers do not depend on the other rows of its pass, down to the last bit: see the
/// folder's README. A layer is two linear maps, q | k | v | fc1 of the norm and dense + fc2 of attention | GELU, for attention and MLP
/// run in parallel.
/// Shapes: N rows, D hidden, M MLP, H heads, K head size, V vocabulary; D', M', V' rounded up to whole panels.
/// </summary>
internal sealed unsafe class CpuForward : ICachedForward
{
    /// <summary>Rows of a pass beside one of each slot: prompts go through by so many tokens.</summary>
    private const int PromptRows = 64;
    private readonly CpuWeights _weights;
    private readonly LayerCache[] _caches;
    private readonly TokenRow[] _rows;
    private readonly int _hidden;
    private readonly int _mlp;
    private readonly FloatMemory _x;
    private readonly FloatMemory _normed;
    private readonly FloatMemory _projected;
    private readonly FloatMemory _mixed;
    private readonly FloatMemory _logits;
    private readonly FloatMemory _scores;

    /// <param name="weights">Read whole; the caller's to dispose.</param>
    public CpuForward(IModelWeights weights, int slots)
    {
        (Model, Slots, Rows) = (weights.Model, slots, slots + PromptRows);
        (_hidden, _mlp) = (CpuWeights.Width(Model.HiddenSize), CpuWeights.Width(Model.MlpSize));
        _weights = new CpuWeights(weights);
        _caches = [.. Enumerable.Range(0, Model.Layers).Select(_ => new LayerCache(Model, slots))];
        _rows = new TokenRow[Rows];
        _x = new FloatMemory((long)Rows * _hidden);
        _normed = new FloatMemory((long)Rows * _hidden);
        _projected = new FloatMemory((long)Rows * (3 * _hidden + _mlp));
        _mixed = new FloatMemory((long)Rows * (_hidden + _mlp));
        _logits = new FloatMemory((long)slots * CpuWeights.Width(Model.VocabularySize));
        _scores = new FloatMemory((long)Model.Heads * Lanes.RoundUp(Model.SequenceLength, Lanes.Count));
    }

    public ModelConfiguration Model { get; }

    public int Slots { get; }

    public int Rows { get; }

    public void Run(IReadOnlyList<TokenRow> rows, Span<float> logits)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows.Count, Rows, nameof(rows));
        for (var n = 0; n < rows.Count; n++)
        {
            _rows[n] = Checked(rows[n]);
            new ReadOnlySpan<float>(_weights.Embedding.Address + (long)rows[n].Token * Model.HiddenSize, Model.HiddenSize).CopyTo(new Span<float>(_x.Address + (long)n * _hidden, Model.HiddenSize));
        }

        for (var layer = 0; layer < Model.Layers; layer++)
        {
            Layer(layer, rows.Count);
        }

        Head(rows.Count, logits);
    }

    public void Copy(int from, int to, int positions)
    {
        foreach (var cache in _caches)
        {
            cache.Copy(from, to, positions);
        }
    }

    public void Dispose()
    {
        foreach (var owned in (IEnumerable<IDisposable>)[_weights, .. _caches, _x, _normed, _projected, _mixed, _logits, _scores])
        {
            owned.Dispose();
        }
    }

    private TokenRow Checked(TokenRow row) =>
        (uint)row.Slot < (uint)Slots && (uint)row.Position < (uint)Model.SequenceLength && (uint)row.Token < (uint)Model.VocabularySize
            ? row
            : throw new ArgumentException($"{row} is not within {Slots} slots, a sequence length of {Model.SequenceLength} and a vocabulary of {Model.VocabularySize}");

    private void Layer(int layer, int rows)
    {
        var weights = _weights.Layers[layer];
        for (var n = 0; n < rows; n++)
        {
            Norm(weights.Norm, n, n);
        }

        weights.In.Apply(_normed.Address, _projected.Address, rows, adds: false);
        var positions = 0L;
        for (var n = 0; n < rows; n++)
        {
            positions += _rows[n].Position;
        }

        Workers.Run(Model.Heads, positions * 2 * Model.HiddenSize + (long)rows * 16 * _mlp, (first, end) =>
        {
            for (var head = first; head < end; head++)
            {
                Attention(_caches[layer], head, rows);
                Activation(_mlp / Lanes.Count * head / Model.Heads * Lanes.Count, _mlp / Lanes.Count * (head + 1) / Model.Heads * Lanes.Count, rows);
            }
        });
        weights.Out.Apply(_mixed.Address, _x.Address, rows, adds: true);
    }

    /// <summary>One head of all rows: their keys and values go into the cache first.</summary>
    private void Attention(LayerCache cache, int head, int rows)
    {
        int k = Model.HeadSize, half = Model.RotaryDim / 2;
        for (var n = 0; n < rows; n++)
        {
            var (slot, position, _, _) = _rows[n];
            float* query = Projected(n) + head * k, key = query + _hidden, cos = _weights.Cos.Address + (long)position * half, sin = _weights.Sin.Address + (long)position * half;
            Lanes.Rotate(query, half, cos, sin);
            Lanes.Rotate(key, half, cos, sin);
            cache.Put(slot, head, position, key, key + _hidden);
        }

        var scores = _scores.Address + (long)head * Lanes.RoundUp(Model.SequenceLength, Lanes.Count);
        for (var n = 0; n < rows; n++)
        {
            cache.Attend(_rows[n].Slot, head, _rows[n].Position + 1, Projected(n) + head * k, scores, Mixed(n) + head * k);
        }
    }

    /// <summary>Some columns of the MLP, of all rows.</summary>
    private void Activation(int first, int end, int rows)
    {
        for (var n = 0; n < rows; n++)
        {
            Lanes.Gelu(Projected(n) + 3 * _hidden + first, end - first, Mixed(n) + _hidden + first);
        }
    }

    private void Head(int rows, Span<float> logits)
    {
        var wanted = 0;
        for (var n = 0; n < rows; n++)
        {
            if (_rows[n].HasLogits)
            {
                Norm(_weights.FinalNorm, n, wanted++);
            }
        }

        _weights.Head.Apply(_normed.Address, _logits.Address, wanted, adds: false);
        for (var n = 0; n < wanted; n++)
        {
            new ReadOnlySpan<float>(_logits.Address + (long)n * _weights.Head.Outputs, Model.VocabularySize).CopyTo(logits[(n * Model.VocabularySize)..]);
        }
    }

    private void Norm(FloatMemory norm, int from, int to) =>
        Lanes.Norm(_x.Address + (long)from * _hidden, Model.HiddenSize, norm.Address, norm.Address + Model.HiddenSize, (float)PhiForward.LayerNormEpsilon, _normed.Address + (long)to * _hidden);

    private float* Projected(int row) => _projected.Address + (long)row * (3 * _hidden + _mlp);

    private float* Mixed(int row) => _mixed.Address + (long)row * (_hidden + _mlp);
}
