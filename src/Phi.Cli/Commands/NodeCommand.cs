using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using k8s.Exceptions;
using k8s.Models;
using Phi.Cli.Cluster;
using Phi.LocalCluster.Nodes;

namespace Phi.Cli.Commands;

/// <summary><c>phi node</c>: this machine as a node of any cluster, real or embedded.</summary>
internal static class NodeCommand
{
    private const int DefaultSlots = 4;
    private const int MaximumGpus = 64;

    public static Command Create()
    {
        var kubeconfig = CommonOptions.Kubeconfig();
        var home = CommonOptions.Home();
        var withParent = CommonOptions.StopWithParent();
        var name = Option("--name", "Name of the node, which no other node of the cluster has.", NodeArguments.NameError);
        name.Required = true;
        var slots = CommonOptions.Slots();
        var gpus = new Option<int>("--gpus")
        {
            Description = "Offer so many nvidia.com/gpu instead of CPU slots. More than the machine has: a simulated node, for trying placement; "
                + $"it is labelled {NodeLabels.Simulated}=true, and what computes on a GPU fails there.",
        };
        var product = Option("--product", "Product of the GPUs, such as A100: the label nvidia.com/gpu.product; in lower case the accelerator type that a job asks for.", NodeArguments.ProductError);
        var labels = List("--label", $"Label of the node, KEY=VALUE; may be given again. Topology: {string.Join(", ", NodeLabels.Topology)}.", NodeArguments.LabelError);
        var taints = List("--taint", "Taint of a new node, KEY[=VALUE]:EFFECT with NoSchedule, PreferNoSchedule or NoExecute; may be given again. A node that the cluster knows keeps the taints that it has.", NodeArguments.TaintError);
        var command = new Command("node", "Join this machine to a cluster, real or embedded, as a node whose pods are local processes.") { kubeconfig, home, name, slots, gpus, product, labels, taints, withParent };
        command.Validators.Add(result =>
        {
            // A product is asked for with GPUs and refused without; text that is no number has its own error.
            if (result.GetResult(gpus) is { Tokens: [var count] } && int.TryParse(count.Value, CultureInfo.InvariantCulture, out var number))
            {
                AddIf(result, number is < 1 or > MaximumGpus, $"--gpus is {number}; it must be from 1 to {MaximumGpus}. Leave it out for a CPU node.");
                AddIf(result, result.GetResult(product) is null, "--gpus needs --product: name the GPUs, such as --product A100.");
            }
            else
            {
                AddIf(result, result.GetResult(gpus) is null && result.GetResult(product) is not null, "--product needs --gpus: say how many, such as --gpus 8.");
            }
        });
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var stop = ParentWatch.Link(parse.GetValue(withParent), cancellationToken);
            var folder = PhiHome.Resolve(parse.GetValue(home));
            folder.Create();
            var options = ClusterSupervisor.NodeOptions(folder, parse.GetRequiredValue(kubeconfig), parse.GetRequiredValue(name)!, parse.GetValue(slots) ?? DefaultSlots) with
            {
                Gpus = parse.GetValue(gpus),
                GpuProduct = parse.GetValue(product),
                Labels = (parse.GetValue(labels) ?? []).Select(NodeArguments.Label).ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal),
                Taints = [.. (parse.GetValue(taints) ?? []).Select(NodeArguments.Taint)],
            };
            await RunAsync(options, stop.Token);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static async Task RunAsync(NodeAgentOptions options, CancellationToken ct)
    {
        using var logs = Logging.Create();
        try
        {
            await NodeAgentHost.RunAsync(options, logs, ct);
        }
        catch (Exception e) when (e is KubeConfigException or FileNotFoundException or DirectoryNotFoundException or YamlDotNet.Core.YamlException)
        {
            throw new CliException($"--kubeconfig {options.Kubeconfig} cannot be used: {e.Message} Name the kubeconfig of a cluster, such as ~/.kube/config.", ExitCodes.Usage);
        }
    }

    private static void AddIf(SymbolResult result, bool isWrong, string message)
    {
        if (isWrong)
        {
            result.AddError(message);
        }
    }

    private static Option<string?> Option(string name, string description, Func<string, string?> check)
    {
        var option = new Option<string?>(name) { Description = description };
        option.Validators.Add(result => Check(result, check));
        return option;
    }

    private static Option<string[]?> List(string name, string description, Func<string, string?> check)
    {
        var option = new Option<string[]?>(name) { Description = description };
        option.Validators.Add(result =>
        {
            Check(result, check);
            foreach (var twice in result.Tokens.GroupBy(token => NodeArguments.Identity(token.Value), StringComparer.Ordinal).Where(group => group.Count() > 1))
            {
                result.AddError($"{name} {twice.Last().Value} gives {twice.Key} a second time; give it once.");
            }
        });
        return option;
    }

    private static void Check(OptionResult result, Func<string, string?> check)
    {
        foreach (var problem in result.Tokens.Select(token => (token.Value, Error: check(token.Value))).Where(pair => pair.Error is not null))
        {
            result.AddError($"{result.Option.Name} {problem.Value}: {problem.Error}");
        }
    }
}
