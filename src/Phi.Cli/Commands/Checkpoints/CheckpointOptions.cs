using System.CommandLine;
using System.Globalization;
using Phi.Cli.Cluster;

namespace Phi.Cli.Commands.Checkpoints;

/// <summary>What the commands on checkpoints have in common: how one is named, and in which form the answer is given.</summary>
internal sealed class CheckpointOptions
{
    private readonly Option<string> _namespace = new("--namespace", "-n") { Description = "Namespace of job/NAME.", DefaultValueFactory = _ => "default" };
    private readonly Option<string?> _kubeconfig = new("--kubeconfig") { Description = "Kubeconfig of the cluster that job/NAME is in. Default: that of the local control plane." };
    private readonly Option<string?> _home = CommonOptions.Home();
    private readonly Option<string> _output = Output();

    /// <summary>A checkpoint, or the root of several.</summary>
    public static Argument<string> Location(string name = "checkpoint", string what = "A checkpoint") => new(name)
    {
        Description = $"{what}: a folder or address such as …/step-00000300, the one that holds several, or job/NAME[@STEP].",
    };

    public static Option<string> To(string what) => new("--to") { Description = what, Required = true };

    public static Option<long> Whole(string name, string description, long standard, long least, long most = long.MaxValue)
    {
        var option = new Option<long>(name) { Description = $"{description} Default {standard}.", DefaultValueFactory = _ => standard };
        Limit(option, least, most);
        return option;
    }

    public static void Limit<T>(Option<T> option, long least, long most = long.MaxValue) => option.Validators.Add(result =>
    {
        // Text that is no number has its own error; reading the value would throw here.
        if (result.Tokens is [var given] && long.TryParse(given.Value, CultureInfo.InvariantCulture, out var number) && (number < least || number > most))
        {
            result.AddError($"{option.Name} is {given.Value}; it must be at least {least}{(most < long.MaxValue ? $" and at most {most}" : "")}.");
        }
    });

    public void AddTo(Command command)
    {
        command.Add(_namespace);
        command.Add(_kubeconfig);
        command.Add(_home);
        AddOutput(command);
    }

    /// <summary>For commands that name no job.</summary>
    public void AddOutput(Command command) => command.Add(_output);

    public bool IsJson(ParseResult parse) => parse.GetValue(_output) == "json";

    public (string Namespace, string Kubeconfig) Cluster(ParseResult parse) => (parse.GetRequiredValue(_namespace), parse.GetValue(_kubeconfig) ?? PhiHome.Resolve(parse.GetValue(_home)).Kubeconfig);

    private static Option<string> Output()
    {
        var option = new Option<string>("--output", "-o") { Description = "table or json.", DefaultValueFactory = _ => "table" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not ("table" or "json") and var given }])
            {
                result.AddError($"--output is '{given}'; it must be table or json. Where to write is named by --to.");
            }
        });
        return option;
    }
}
