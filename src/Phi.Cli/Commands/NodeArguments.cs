using System.Text.RegularExpressions;
using k8s.Models;
using Phi.LocalCluster.Nodes;

namespace Phi.Cli.Commands;

/// <summary>Reads what <c>phi node</c> is given, by the rules of the Kubernetes API; each error says the rule and the remedy.</summary>
internal static partial class NodeArguments
{
    private static readonly string[] Effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

    public static string? NameError(string name) => name.Length <= 63 && Subdomain().IsMatch(name) ? null
        : "a node's name is at most 63 lower-case letters, digits, '-' and '.', and starts and ends with a letter or a digit; write it like node-0.";

    public static string? ProductError(string product) => product.Length <= 63 && Subdomain().IsMatch(product.ToLowerInvariant()) ? null
        : "a product is at most 63 letters, digits, '-' and '.', for jobs name it as accelerator type; write it like A100 or NVIDIA-A100-SXM4-80GB.";

    public static string? LabelError(string text) => text.Split('=', 2) switch
    {
        not [_, _] => "a label is KEY=VALUE; write it like topology.kubernetes.io/rack=r1.",
        [var key, _] when NodeLabels.Own.Contains(key) => "the node sets this label itself; leave it out.",
        [var key, _] when !IsKey(key) => KeyRule,
        [_, var value] when !Value().IsMatch(value) => ValueRule,
        _ => null,
    };

    public static string? TaintError(string text) => text.LastIndexOf(':') is var colon and > 0 ? text[..colon].Split('=', 2) switch
    {
        _ when !Effects.Contains(text[(colon + 1)..]) => $"the effect '{text[(colon + 1)..]}' is none of {string.Join(", ", Effects)}; write one of them after the colon.",
        [var key, ..] when !IsKey(key) => KeyRule,
        [_, var value] when !Value().IsMatch(value) => ValueRule,
        _ => null,
    } : "a taint is KEY[=VALUE]:EFFECT; write it like spot=true:NoSchedule.";

    public static KeyValuePair<string, string> Label(string text) => text.Split('=', 2) is var parts ? KeyValuePair.Create(parts[0], parts[1]) : default;

    public static V1Taint Taint(string text)
    {
        var colon = text.LastIndexOf(':');
        var parts = text[..colon].Split('=', 2);
        return new V1Taint { Key = parts[0], Value = parts.ElementAtOrDefault(1), Effect = text[(colon + 1)..] };
    }

    /// <summary>What may be given once: a label's key, a taint's key and effect.</summary>
    public static string Identity(string text) => text.LastIndexOf(':') is var colon and > 0 ? $"{text[..colon].Split('=', 2)[0]}:{text[(colon + 1)..]}" : text.Split('=', 2)[0];

    private const string KeyRule = "a key is an optional DNS name and '/', then at most 63 letters, digits, '-', '_' and '.'; write it like topology.kubernetes.io/rack.";
    private const string ValueRule = "a value is at most 63 letters, digits, '-', '_' and '.', and starts and ends with a letter or a digit; shorten it, or replace what is none of these.";

    private static bool IsKey(string key) => key.Split('/') switch
    {
        [var name] => Name().IsMatch(name),
        [var prefix, var name] => prefix.Length <= 253 && Subdomain().IsMatch(prefix) && Name().IsMatch(name),
        _ => false,
    };

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    [GeneratedRegex(@"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Value();
}
