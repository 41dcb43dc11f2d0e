defmodule Whole do
  def children, do: [{DynamicSupervisor, name: Whole.Rooms}] # want HC201 "DynamicSupervisor Whole.Rooms has no max_children"
end
