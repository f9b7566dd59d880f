using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Phi.Dashboard.Components.Controls;

/// <summary>A text field for a manifest. What was typed is kept in the browser until it is submitted.</summary>
public sealed partial class ManifestEditor : ScriptIsland
{
    /// <summary>Far more than a manifest that the API server takes in practice.</summary>
    public const int MostCharacters = 100_000;
    private DotNetObjectReference<ManifestEditor>? _self;

    /// <summary>Under which drafts are kept: another key has another draft.</summary>
    [Parameter, EditorRequired]
    public required string Key { get; set; }

    /// <summary>What is there first.</summary>
    [Parameter, EditorRequired]
    public required string Text { get; set; }

    /// <summary>Once what is there is known, and soon after each change.</summary>
    [Parameter]
    public EventCallback<string> TextChanged { get; set; }

    protected override string Module => "editor.js";

    public Task ResetAsync(string text) => CallAsync("reset", text);

    [JSInvokable]
    public Task Edited(string text) => TextChanged.InvokeAsync(text.Length <= MostCharacters ? text : text[..MostCharacters]);

    protected override object?[] Arguments() => [_self ??= DotNetObjectReference.Create(this), new { Key, Text, Label = "Manifest" }];

    protected override Task RefreshAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _self?.Dispose();
    }
}
