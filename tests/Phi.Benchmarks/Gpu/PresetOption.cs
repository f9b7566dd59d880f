using System.CommandLine;
using Phi.Api.TrainingJobs;

namespace Phi.Benchmarks.Gpu;

/// <summary><c>--preset NAME</c>: the model of a bench on a GPU.</summary>
internal static class PresetOption
{
    public const string Default = "phi-1";

    public static Option<string> Create()
    {
        var option = new Option<string>("--preset") { Description = string.Join(", ", ModelPresets.Names), DefaultValueFactory = _ => Default };
        option.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        return option;
    }

    public static ModelConfiguration Model(string name) => ModelConfiguration.Of(ModelPresets.Find(name)!);
}
