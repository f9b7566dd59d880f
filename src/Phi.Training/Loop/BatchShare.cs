namespace Phi.Training.Loop;

/// <summary>
/// Which samples of the global batch a rank computes in which pass. Every pass but the last gives each rank a whole micro-batch,
/// consecutive samples to consecutive ranks; the last divides what is left as evenly as can be, and a rank may have none of it. Every
/// sample is somebody's exactly once, whatever the world size.
/// </summary>
internal sealed class BatchShare
{
    private readonly int _microBatch;
    private readonly int _worldSize;
    private readonly int _rank;
    private readonly int _perPass;
    private readonly int _globalBatch;

    /// <exception cref="ArgumentException">A batch is below 1.</exception>
    public BatchShare(int globalBatch, int microBatch, int worldSize, int rank)
    {
        if (globalBatch < 1 || microBatch < 1)
        {
            throw new ArgumentException($"batch.global {globalBatch} and batch.micro {microBatch} must be at least 1; take at least one sequence");
        }

        (_globalBatch, _microBatch, _worldSize, _rank) = (globalBatch, microBatch, worldSize, rank);
        _perPass = checked(microBatch * worldSize);
        Passes = (globalBatch - 1) / _perPass + 1;
    }

    /// <summary>Passes of a step, the same on every rank.</summary>
    public int Passes { get; }

    /// <summary>Index of the first sample in the global batch, and how many follow it: 0 to a micro-batch.</summary>
    public (long First, int Count) Of(int pass)
    {
        var first = (long)pass * _perPass;
        if (_globalBatch - first >= _perPass)
        {
            return (first + (long)_rank * _microBatch, _microBatch);
        }

        var (least, more) = Math.DivRem((int)(_globalBatch - first), _worldSize);
        return (first + (long)_rank * least + Math.Min(_rank, more), least + (_rank < more ? 1 : 0));
    }
}
