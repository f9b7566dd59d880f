using System.Text.Json;
using Phi.Evaluation.Suites;

namespace Phi.Evaluation.Tests;

/// <summary>A few problems in the shapes of the published files.</summary>
internal static class SmallSuite
{
    public const string HumanEval =
        """"
        {"task_id": "Small/0", "prompt": "def twice(x: int) -> int:\n    \"\"\" Twice x. \"\"\"\n", "entry_point": "twice", "canonical_solution": "    return 2 * x\n", "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-1) == -2\n"}
        {"task_id": "Small/1", "prompt": "from typing import List\n\n\ndef helper(x):\n    return x + 1\n\n\ndef sort(values: List[int]) -> List[int]:\n    \"\"\" Sorts in place, and returns the list. \"\"\"\n", "entry_point": "sort", "canonical_solution": "    values.sort()\n    return values\n", "test": "\n\nMETADATA = {'author': 'a'}\n\n\ndef check(candidate):\n    values = [helper(2), 1, 2]\n    same = candidate(values)\n    assert values == [1, 2, 3]\n    assert same is values\n"}
        """";

    public const string Mbpp =
        """
        {"task_id": 1, "text": "A shot.", "code": "def f(): pass", "test_list": ["assert f() is None"], "test_setup_code": "", "challenge_test_list": []}
        {"task_id": 11, "text": "Write a function to add.", "code": "import math\r\ndef sum(a, b):\r\n  return a + b", "test_list": ["assert sum(1, 2) == 3", "assert math.isclose(sum(0.5, 1), 1.5)"], "test_setup_code": "", "challenge_test_list": []}
        {"task_id": 367, "text": "Write a function to find a tree's depth.", "code": "class Node:\r\n  def __init__(self, data):\r\n    self.data, self.left = data, None\r\ndef depth(root):\r\n  return 0 if root is None else 1 + depth(root.left)", "test_list": ["assert depth(root) == 2", "assert root.left.data == 2"], "test_setup_code": "root = Node(1) \r\nroot.left = Node(2)", "challenge_test_list": []}
        {"task_id": 511, "text": "For training.", "code": "def g(): pass", "test_list": ["assert g() is None"], "test_setup_code": "", "challenge_test_list": []}
        """;

    public static async Task<Suite> LoadAsync(SuiteKind kind)
    {
        using var folder = new TestFolder();
        using var http = new HttpClient();
        return await new SuiteLoader(http).LoadAsync(kind, folder.Write("suite.jsonl", kind == SuiteKind.Mbpp ? Mbpp : HumanEval), null, TestContext.Current.CancellationToken);
    }

    public static string Line(object record) => JsonSerializer.Serialize(record) + "\n";
}
