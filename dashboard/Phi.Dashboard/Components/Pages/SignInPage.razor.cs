using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Pages;

/// <summary>A page of forms, without a script or a circuit: nobody is known yet.</summary>
public sealed partial class SignInPage : ComponentBase
{
    /// <summary>Path to go to afterwards.</summary>
    [Parameter]
    public string Return { get; set; } = "/";

    [Parameter]
    public string? Problem { get; set; }
}
