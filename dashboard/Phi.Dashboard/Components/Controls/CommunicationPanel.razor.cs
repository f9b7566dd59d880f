using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Components.Controls;

/// <summary>What the ranks of a job send per step, by collective, and what ZeRO++ saved of it.</summary>
public sealed partial class CommunicationPanel : ComponentBase
{
    /// <summary>With defaults.</summary>
    [Parameter]
    public required TrainingJobSpec Spec { get; set; }

    /// <summary>Null before any rank has reported.</summary>
    [Parameter]
    public required TrafficData? Traffic { get; set; }

    /// <summary>Why there is nothing to show; null if there is.</summary>
    private string? Missing
    {
        get
        {
            var ranks = Spec.Replicas * Spec.Accelerator?.PerReplica;
            return Traffic switch
            {
                _ when ranks == 1 => "The job has one rank, which sends nothing.",
                null => "No traffic reported yet.",
                { Ranks: var reported } when reported < ranks => string.Create(CultureInfo.InvariantCulture, $"{reported} of {ranks} ranks have reported traffic in attempt {Traffic.Attempt}; figures follow when all have."),
                { Collectives.Count: 0 } => "No traffic reported yet.",
                _ => null,
            };
        }
    }

    private string Saving => ZeroSaving.Of(Spec, Traffic!.WithinNodes, Traffic.AcrossNodes) is { } saving
        ? string.Create(CultureInfo.InvariantCulture, $"{Capitalised(saving.ToString())}: {Show.Bytes((long)saving.Bytes)} a step instead of {Show.Bytes((long)saving.BaselineBytes)}")
        : Spec is { Phi.Model: { VocabularySize: null }, Zero.Stage: 3 } ? "spec.phi.model.vocabularySize is the tokenizer's; write it to see the saving."
        : "ZeRO++ works on stage 3 of the built-in trainer; there is no saving to show.";

    private string Techniques => ZeroSaving.Techniques(Spec.Zero!) is { Count: > 0 } on
        ? $"On: {string.Join(", ", on)}"
        : "No technique of ZeRO++ is on (spec.zero).";

    private string Steps => Traffic!.FirstStep == Traffic.LastStep
        ? string.Create(CultureInfo.InvariantCulture, $"Step {Traffic.LastStep:#,0} of attempt {Traffic.Attempt}, all ranks together.")
        : string.Create(CultureInfo.InvariantCulture, $"Mean of steps {Traffic.FirstStep:#,0} to {Traffic.LastStep:#,0} of attempt {Traffic.Attempt}, all ranks together.");

    private static string Capitalised(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
