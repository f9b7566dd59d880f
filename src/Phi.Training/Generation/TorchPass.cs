using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Phi.Training.Generation;

/// <summary>
/// Where the rows of one pass of <see cref="TorchForward"/> lie in the caches, and attention over these: rows that are alone in their slot
/// together, the rows of a prompt for themselves.
/// Shapes: N rows, S slots, T positions, M most positions of a pass, H heads, K head size.
/// </summary>
internal sealed class TorchPass : IDisposable
{
    private readonly List<(int First, int Count, int Slot, int Position)> _prompts = [];
    private readonly Tensor _cells;
    private readonly Tensor? _single;
    private readonly Tensor? _singleSlots;
    private readonly Tensor? _singleMask;
    private readonly int _most;

    public TorchPass(IReadOnlyList<TokenRow> rows, int sequenceLength, Device device)
    {
        using var scope = NewDisposeScope();
        var single = new List<int>();
        for (var first = 0; first < rows.Count;)
        {
            var count = 1;
            while (first + count < rows.Count && rows[first + count].Slot == rows[first].Slot)
            {
                count++;
            }

            if (count == 1)
            {
                single.Add(first);
            }
            else
            {
                _prompts.Add((first, count, rows[first].Slot, rows[first].Position));
            }

            first += count;
        }

        Positions = Owned(rows.Select(row => (long)row.Position));
        _cells = Owned(rows.Select(row => (long)row.Slot * sequenceLength + row.Position));
        if (single.Count > 0)
        {
            _most = single.Max(row => rows[row].Position) + 1;
            _single = Owned(single.Select(row => (long)row));
            _singleSlots = Owned(single.Select(row => (long)rows[row].Slot));
            _singleMask = Upto(Positions.index_select(0, _single), _most).view(-1, 1, 1, _most).DetachFromDisposeScope();
        }

        Tensor Owned(IEnumerable<long> values) => tensor(values.ToArray(), device: device).DetachFromDisposeScope();
    }

    /// <summary>[N], int64.</summary>
    public Tensor Positions { get; }

    /// <summary>Keeps the rows' values [N, H, K] in the cache [S, T, H, K].</summary>
    public void Put(Tensor cache, Tensor rows) => cache.view(-1, rows.shape[1], rows.shape[2]).index_copy_(0, _cells, rows);

    /// <summary>Attention of q [N, H, K], each row over its slot's positions up to its own: [N, H, K].</summary>
    public Tensor Attend(Tensor q, Tensor keys, Tensor values)
    {
        var attended = empty_like(q);
        if (_single is not null)
        {
            var rows = F.scaled_dot_product_attention(q.index_select(0, _single).unsqueeze(2), Slots(keys), Slots(values), attn_mask: _singleMask);
            attended.index_copy_(0, _single, rows.squeeze(2));
        }

        foreach (var (first, count, slot, position) in _prompts)
        {
            var mask = Upto(Positions.narrow(0, first, count), position + count);
            var rows = F.scaled_dot_product_attention(q.narrow(0, first, count).transpose(0, 1).unsqueeze(0), Slot(keys), Slot(values), attn_mask: mask);
            attended.narrow(0, first, count).copy_(rows.squeeze(0).transpose(0, 1));

            Tensor Slot(Tensor cache) => cache.select(0, slot).narrow(0, 0, position + count).transpose(0, 1).unsqueeze(0);
        }

        return attended;

        Tensor Slots(Tensor cache) => cache.narrow(1, 0, _most).index_select(0, _singleSlots!).transpose(1, 2);
    }

    public void Dispose()
    {
        foreach (var owned in new[] { Positions, _cells, _single, _singleSlots, _singleMask })
        {
            owned?.Dispose();
        }
    }

    /// <summary>positions [N] → [N, M], whether a place is at most the row's position.</summary>
    private static Tensor Upto(Tensor positions, int most) => arange(most, device: positions.device).unsqueeze(0).le(positions.unsqueeze(1));
}
