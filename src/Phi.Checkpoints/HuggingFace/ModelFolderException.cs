using Phi.Api.TrainingJobs;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>A model folder cannot be imported; every reason is listed.</summary>
public sealed class ModelFolderException(string folder, IReadOnlyList<ValidationError> problems)
    : Exception($"'{folder}' cannot be imported:\n  {string.Join("\n  ", problems)}")
{
    public IReadOnlyList<ValidationError> Problems { get; } = problems;
}
