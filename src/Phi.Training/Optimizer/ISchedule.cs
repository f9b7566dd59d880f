namespace Phi.Training.Optimizer;

/// <summary>How the learning rate moves.</summary>
public interface ISchedule
{
    /// <summary>Factor of the learning rate at a step counted from 0, from 0 to 1.</summary>
    float Factor(long step);
}
