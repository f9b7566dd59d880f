using Microsoft.AspNetCore.Components;
using MudBlazor;
using Phi.Dashboard.Actions;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Does something once the person has confirmed it, where that is asked, and says what came of it. Nobody sees it whose role is not enough.</summary>
public sealed partial class ActionButton : ComponentBase
{
    private bool _isBusy;

    [Parameter, EditorRequired]
    public required string Label { get; set; }

    /// <summary>For those who do not see where the button is. Default: the label.</summary>
    [Parameter]
    public string? Name { get; set; }

    [Parameter, EditorRequired]
    public required PersonAction Action { get; set; }

    /// <summary>What is asked before; null: nothing.</summary>
    [Parameter]
    public string? Question { get; set; }

    [Parameter]
    public Color Color { get; set; } = Color.Default;

    [Parameter]
    public bool Disabled { get; set; }

    [Parameter, EditorRequired]
    public required Func<Task<ActionOutcome>> Do { get; set; }

    /// <summary>After it was done or was not.</summary>
    [Parameter]
    public EventCallback Done { get; set; }

    [Inject]
    private IDialogService Dialogs { get; set; } = null!;

    [Inject]
    private ISnackbar Snackbar { get; set; } = null!;

    private async Task RunAsync()
    {
        if (_isBusy || (Question is not null && await Dialogs.ShowMessageBoxAsync(Label, Question, yesText: Label, cancelText: "Cancel") != true))
        {
            return;
        }

        _isBusy = true;
        try
        {
            var outcome = await Do();
            Snackbar.Add(outcome.Message, outcome.IsDone ? Severity.Success : Severity.Error);
        }
        finally
        {
            _isBusy = false;
        }

        await Done.InvokeAsync();
    }
}
