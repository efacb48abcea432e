-- Executing a statement that somebody else's table may refuse, without losing the transaction around it.

create function ops.attempt(statement text) returns text
language plpgsql
as $$
begin
    execute statement;
    return null;
exception
    when data_exception
        or integrity_constraint_violation
        or syntax_error_or_access_rule_violation
        or object_not_in_prerequisite_state
        or plpgsql_error
    then
        return sqlerrm;
end
$$;
comment on function ops.attempt is 'null when the statement succeeded; else it was undone, and this is why: a value, a constraint, a renamed column, a lock, a trigger';
