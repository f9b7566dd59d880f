using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Phi.Dashboard.Components.Pages;

namespace Phi.Dashboard.SignIn;

/// <summary>What is answered to who may not: a page to a person, a problem to a program.</summary>
internal static class SignInAnswers
{
    public static Task UnauthorizedAsync(HttpContext http) => IsPage(http.Request)
        ? PageAsync(http, 401, null)
        : Results.Problem("sign in: send the dashboard's token, or your provider's, as Authorization: Bearer TOKEN", statusCode: 401, title: "Not signed in").ExecuteAsync(http);

    public static Task ForbiddenAsync(HttpContext http)
    {
        var why = $"{http.User.Identity?.Name} is {Role.Of(http.User) ?? "nobody"} here, which is not enough for this.";
        return IsPage(http.Request) ? PageAsync(http, 403, why) : Results.Problem(why, statusCode: 403, title: "Forbidden").ExecuteAsync(http);
    }

    /// <param name="problem">Why the person is here again; null: it is the first time.</param>
    public static Task PageAsync(HttpContext http, int status, string? problem)
    {
        var page = new RazorComponentResult<SignInPage>(new Dictionary<string, object?> { [nameof(SignInPage.Return)] = ReturnPath(http.Request), [nameof(SignInPage.Problem)] = problem });
        page.StatusCode = status;
        return page.ExecuteAsync(http);
    }

    /// <summary>A path of this dashboard, whatever was given: nobody is sent elsewhere.</summary>
    public static string Local(string? path) => path is ['/', ..] && path is not ['/', '/' or '\\', ..] && !path.Any(char.IsControl) ? path : "/";

    private static string ReturnPath(HttpRequest request) =>
        request.Path == SignInHost.Path || request.Path == SignInHost.CallbackPath ? Local(request.Query["return"]) : Local(request.Path + Without(request, "token"));

    /// <summary>The request's query without one of its parameters.</summary>
    public static string Without(HttpRequest request, string parameter) =>
        QueryString.Create(request.Query.Where(pair => pair.Key != parameter)).ToString();

    /// <summary>Whether a browser asks for something that a person will look at.</summary>
    public static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.Any(accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);
}
